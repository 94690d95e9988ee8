import hashlib
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recipe_fakes import COMPONENTS, RECIPES, fake_plugins

from outfitrec.core.document import Document, Place
from outfitrec.core.errors import RecipeError, UserError
from outfitrec.core.files import digest
from outfitrec.core.recipe import dump_recipe, identity, load_recipe, resolved
from outfitrec.core.settings import FinishedRun, Recipe
from outfitrec.core.structure import structure_recipe
from outfitrec.core.yamlfile import parse

GOLDEN = Path(__file__).parent / "golden" / "recipes"
PLUGIN = """
from outfitrec.core.component import component
from outfitrec.core.fields import field
from outfitrec.hooks import hookimpl

@component
class Hinge:
    margin: float = field(default=0.2, above=0, help="margin")

    def __call__(self, positive, negative, weight=None, mask=None): ...

@hookimpl
def outfitrec_register(register):
    register.component("loss", "hinge", ":Hinge", "hinge loss")
"""
REFUSING = """
from outfitrec import component, field, given
from outfitrec.core.errors import UserError
from outfitrec.hooks import hookimpl

@component
class Refusing:
    label: str = field(default="refusing", help="name in logs")

    def __call__(self, *values): ...
    def extra(self, batch, generator): ...

    def __attrs_post_init__(self):
        raise UserError("not today", hint="tomorrow")

@component
class Later(Refusing):
    label: str = field(default="later", help="name in logs")
    dim: int = given("size of an item embedding")

@hookimpl
def outfitrec_register(register):
    register.component("metric", "refusing", ":Refusing", "refuses")
    register.component("objective", "refusing", ":Refusing", "refuses")
    register.component("objective", "later", ":Later", "is complete with the data only")
"""


PLUGINS = fake_plugins()


def load(source: Any, overrides: Any = (), **options: Any) -> Recipe:
    return load_recipe(source, overrides, plugins=PLUGINS, **options)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory."""
    # Local plugins of one test are not those of another.
    monkeypatch.setattr("test_recipe.PLUGINS", fake_plugins())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def problems(source: Any, overrides: Any = ()) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        load(source, overrides)
    return [f"{problem.where} | {problem.message}" for problem in caught.value.problems]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.txt")), ids=lambda path: path.stem)
def test_error_texts(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(GOLDEN)
    with pytest.raises(UserError) as caught:
        load(f"{path.stem}.yaml")
    assert str(caught.value).replace(str(GOLDEN), "FOLDER") + "\n" == path.read_text(encoding="utf-8")


def test_six_mistakes_are_six_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(GOLDEN)
    lines = (GOLDEN / "six_mistakes.yaml").read_text().splitlines()
    found = []
    for one in problems("six_mistakes.yaml"):
        _, line, column = one.partition(" | ")[0].split(":")
        found.append(lines[int(line) - 1][int(column) - 1 :].split()[0].rstrip("}:,"))
    assert found == ["0", "large", "sise", "npar", "trian", "no"]


def test_defaults_are_those_of_the_classes() -> None:
    recipe = load({"name": "r"})
    assert recipe.train.epochs == 50
    assert recipe.model.encoder == load({"name": "r", "model": {"encoder": {"name": "alexnet"}}}).model.encoder
    assert resolved(recipe)["objectives"] == [
        {
            "name": "ranking",
            "loss": {"name": "npair", "temperature": 0.1},
            "distiller": None,
            "weight": 1.0,
            "label": "ranking",
        }
    ]
    # Written as a whole number by the component's author, and still what writing it out gives.
    assert type(resolved(recipe)["model"]["preference"]["std"]) is float


def test_nothing_is_coerced() -> None:
    assert type(load({"name": "r", "train": {"optimizer": {"name": "sgd", "lr": 1}}}).train.optimizer.lr) is float
    for train in (
        {"epochs": 1.0},
        {"epochs": "1"},
        {"epochs": True},
        {"compile": 1},
        {"select": 3},
        {"precision": "32"},
    ):
        assert len(problems({"name": "r", "train": train})) == 1
    assert load({"name": "r", "train": {"precision": 32}}).train.precision == 32
    assert load({"name": "r", "train": {"precision": "bf16-mixed"}}).train.precision == "bf16-mixed"


def test_sources(folder: Path) -> None:
    (folder / "mine.yaml").write_text("name: mine\n")
    (folder / "mine").write_text("name: bare\n")
    assert load("mine.yaml").name == "mine"
    assert load(folder / "mine.yaml").name == "mine"
    assert load("mine").name == "bare"
    # A file cannot hide a shipped recipe.
    (folder / "npair").write_text("name: other\n")
    assert load("npair").name == "npair"
    assert "unknown recipe 'npare'" in problems("npare")[0]
    assert problems("none.yaml") == [" | no recipe file none.yaml"]
    (folder / "runs").mkdir()
    assert "lacks recipe.yaml, manifest.json" in problems("runs")[0]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "name: is missing"),
        ({"name": "r", "train": {1: 2}}, "train.1: unknown key"),
        ({"name": "r", "extends": 3}, "extends: must be the name or path of a recipe, not 3"),
        ({"name": "r", "plugins": "a.py"}, "plugins: must be a list of texts, not 'a.py'"),
        ({"name": "r", "plugins": [3]}, "plugins.0: must be text, not 3"),
        ({"name": "r", "requires": {"a": 1}}, "requires.a: must be text, not 1"),
        ({"name": "r", "objectives": []}, "objectives: there is nothing to train for: at least one is needed"),
        ({"name": "r", "teacher": {}}, "teacher.name: is missing"),
        ({"name": "r", "teacher": "npare"}, "unknown recipe 'npare'"),
        ({"name": "a/b"}, "name: must be letters, digits, '.', '_' and '-', not 'a/b'"),
        ({"name": "r", "train": {"seed": 10**400, "clip_norm": 10**400}}, "train.clip_norm: is too large a number"),
    ],
)
def test_odd_data(data: Any, message: str) -> None:
    assert problems(data) == [f" | {message}"]


def test_a_file_may_be_empty(folder: Path) -> None:
    (folder / "empty.yaml").write_text("# nothing\n")
    assert problems("empty.yaml") == ["empty.yaml:1:1 | a recipe is a mapping of keys, not null"]


def test_nothing_here_imports_torch() -> None:
    modules = "recipe, schema, create, overrides, settings"
    code = f"import sys; from outfitrec.core import {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_extends(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "base.yaml").write_text(
        "name: base\ndescription: d\nmodel: {dim: 16, encoder: {name: alexnet, size: s, dropout: 0.1}}\n"
        "objectives: [ranking, contrastive]\n"
    )
    (folder / "sub" / "mine.yaml").write_text("extends: ../base.yaml\nname: mine\nmodel: {encoder: {size: m}}\n")
    recipe = load("sub/mine.yaml")
    assert (recipe.name, recipe.description, recipe.model.dim) == ("mine", "d", 16)
    assert (recipe.model.encoder.size, recipe.model.encoder.dropout) == ("m", 0.1)
    # Another component and a list replace.
    (folder / "sub" / "more.yaml").write_text(
        "extends: mine.yaml\nmodel: {encoder: {name: torchvision, architecture: vgg}}\nobjectives: [contrastive]\n"
    )
    recipe = load("sub/more.yaml")
    assert (recipe.name, recipe.model.dim, recipe.model.encoder.name) == ("mine", 16, "torchvision")
    assert [one.name for one in recipe.objectives] == ["contrastive"]
    assert load({"extends": "npair", "model": {"dim": 64}}).model.dim == 64
    # A mistake is placed in the file that it is in.
    (folder / "base.yaml").write_text("name: base\nmodel: {dim: x}\n")
    assert problems("sub/more.yaml")[0].startswith(f"{folder / 'base.yaml'}:2:14 | model.dim: must be")


def test_teacher_gets_the_dataset_and_nothing_else(folder: Path) -> None:
    (folder / "teacher.yaml").write_text("name: t\ndataset: {name: synthetic, users: 7}\ntrain: {seed: 3}\n")
    student = {
        "name": "s",
        "teacher": "teacher.yaml",
        "dataset": {"name": "synthetic", "users": 9},
        "train": {"batch": 8},
    }
    recipe = load(student, ["train.epochs=4"], seed=5)
    teacher = recipe.teacher
    assert isinstance(teacher, Recipe)
    assert (teacher.name, teacher.dataset.users) == ("t", 9)
    assert (teacher.train.seed, teacher.train.batch, teacher.train.epochs) == (3, 32, 50)
    assert (recipe.train.seed, recipe.train.batch, recipe.train.epochs) == (5, 8, 4)


@pytest.mark.parametrize("teacher", ["npair", {"extends": "npair"}, {"extends": "npair", "train": {"batch": 8}}])
def test_teachers(teacher: Any) -> None:
    found = load({"name": "s", "teacher": teacher}).teacher
    assert isinstance(found, Recipe)
    assert (found.name, found.dataset.name) == ("npair", "synthetic")


def test_a_run_as_teacher(folder: Path) -> None:
    run = folder / "runs" / "t-1"
    (run / "model").mkdir(parents=True)
    for file in ("recipe.yaml", "manifest.json", "model/model.json", "model/weights.safetensors"):
        (run / file).write_text(file)
    recipe = load({"name": "s", "teacher": "runs/t-1"})
    assert recipe.teacher == FinishedRun(str(run))
    assert resolved(recipe)["teacher"] == str(run)
    assert load(resolved(recipe)) == recipe
    assert problems({"name": "s", "teacher": "runs/t-1"}, ["teacher.train.epochs=3"]) == [
        f"override 'teacher.train.epochs=3' | teacher is a finished run, {run}"
    ]
    # What counts is the model, not where it is.
    before = identity(recipe)
    run.rename(folder / "moved")
    assert identity(load({"name": "s", "teacher": "moved"})) == before
    (folder / "moved" / "model" / "weights.safetensors").write_text("other")
    assert identity(load({"name": "s", "teacher": "moved"})) != before
    with pytest.raises(UserError, match="holds no model"):
        identity(recipe)


def test_teachers_that_refer_to_each_other(folder: Path) -> None:
    (folder / "a.yaml").write_text("name: a\nteacher: b.yaml\n")
    (folder / "b.yaml").write_text("name: b\nteacher: a.yaml\n")
    assert "recipes within recipes" in problems("a.yaml")[0]
    (folder / "b.yaml").write_text("extends: a.yaml\nname: b\nteacher: null\n")
    teacher = load("a.yaml").teacher
    assert isinstance(teacher, Recipe)
    assert (teacher.name, teacher.teacher) == ("b", None)


def test_local_plugins(folder: Path) -> None:
    (folder / "lib").mkdir()
    (folder / "lib" / "hinge.py").write_text(PLUGIN)
    (folder / "lib" / "base.yaml").write_text(
        "name: base\nplugins: [hinge.py]\nobjectives: [{name: ranking, loss: hinge}]\n"
    )
    (folder / "other.py").write_text(PLUGIN.replace("hinge", "other"))
    (folder / "mine.yaml").write_text("extends: lib/base.yaml\nplugins: [other.py]\n")
    recipe = load("mine.yaml", ["objectives.ranking.loss.margin=0.5"])
    assert recipe.objectives[0].loss.margin == 0.5
    assert recipe.plugins == (str(folder / "lib" / "hinge.py"), str(folder / "other.py"))
    assert load(resolved(recipe)) == recipe
    # The same plugin elsewhere is the same; another content is not.
    (folder / "copy").mkdir()
    for file in ("lib/hinge.py", "other.py"):
        (folder / "copy" / Path(file).name).write_text((folder / file).read_text())
    objectives = [{"name": "ranking", "loss": {"name": "hinge", "margin": 0.5}}]
    moved = {"name": "base", "plugins": ["copy/hinge.py", "copy/other.py"], "objectives": objectives}
    before = digest(identity(recipe))
    assert digest(identity(load_recipe(moved, plugins=fake_plugins()))) == before
    (folder / "copy" / "hinge.py").write_text(PLUGIN + "\n# changed\n")
    assert digest(identity(load_recipe(moved, plugins=fake_plugins()))) != before
    assert load({"name": "r"}, ["plugins=[other.py]", "objectives.ranking.loss=other"]).objectives[0].loss.margin == 0.2


def test_what_a_component_refuses_has_its_place(folder: Path) -> None:
    (folder / "refusing.py").write_text(REFUSING)
    (folder / "mine.yaml").write_text(
        "name: mine\nplugins: [refusing.py]\nobjectives: [later, refusing]\nevaluate: {metrics: [auc, refusing]}\n"
    )
    assert problems("mine.yaml") == [
        "mine.yaml:3:21 | objectives.1: not today",
        "mine.yaml:4:27 | evaluate.metrics.1: not today",
    ]


def test_required_versions() -> None:
    assert load({"name": "r", "requires": {"outfitrec": ">=0.1"}}).requires == {"outfitrec": ">=0.1"}
    found = problems({"name": "r", "requires": {"outfitrec": ">=99", "nothing": ">=1"}})
    assert "requires outfitrec >=99" in found[0]
    assert "requires nothing >=1, which is not installed" in found[1]


def test_paths(folder: Path) -> None:
    encoder = {"name": "alexnet", "weights": "w.pt"}
    dataset = {"name": "polyvore_u", "root": "data", "users": 3}
    data = {"name": "r", "dataset": dataset, "model": {"encoder": encoder}}
    recipe = load(data)
    assert recipe.dataset.root == str(folder / "data")
    assert recipe.model.encoder.weights == str(folder / "w.pt")
    assert load({"name": "r"}).model.encoder.weights == "imagenet"
    with pytest.raises(UserError) as caught:
        identity(recipe)
    assert [one.message for one in caught.value.problems] == [
        f"dataset.root: cannot read {folder / 'data'}: No such file or directory",
        f"model.encoder.weights: cannot read {folder / 'w.pt'}: No such file or directory",
    ]
    (folder / "data").mkdir()
    (folder / "w.pt").write_text("weights")
    found = identity(recipe)
    assert found["dataset"]["root"] is None
    assert found["model"]["encoder"]["weights"] == {"sha256": hashlib.sha256(b"weights").hexdigest()}
    (folder / "elsewhere.pt").write_text("weights")
    encoder["weights"] = str(folder / "elsewhere.pt")
    assert identity(load(data)) == found


def test_identity_leaves_out_what_computes_nothing() -> None:
    base = digest(identity(load({"name": "a", "teacher": {"name": "t"}})))
    for override in ("train.workers=3", "train.accelerator=cpu", "evaluate.chunk=7", "description=x", "teacher.name=u"):
        assert digest(identity(load({"name": "b", "teacher": {"name": "t"}}, [override]))) == base
    for override in ("train.seed=1", "teacher.train.seed=1", "evaluate.seed=1", "model.encoder.dropout=0.1"):
        assert digest(identity(load({"name": "a", "teacher": {"name": "t"}}, [override]))) != base


@pytest.mark.parametrize("name", RECIPES)
def test_shipped_recipes_name_their_launch_command(name: str) -> None:
    path = PLUGINS.registry.get("recipe", name).path()
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# outfitrec run {name}")
    assert f"\nname: {name}\n" in text


def entries(kind: str) -> st.SearchStrategy[Any]:
    """Recipe entries of the fake components."""
    numbers = st.floats(0.001, 0.999)
    fields: dict[str, dict[str, st.SearchStrategy[Any]]] = {
        "alexnet": {"size": st.sampled_from(["large", "m", "xs"]), "dropout": numbers},
        "torchvision": {"frozen": st.booleans()},
        "npair": {"temperature": numbers | st.integers(1, 9)},
        "fnd": {"alpha": numbers},
        "contrastive": {"weight": numbers, "views": st.lists(st.deferred(lambda: entries("augmenter")), max_size=3)},
        "ranking": {
            "loss": st.deferred(lambda: entries("loss")),
            "distiller": st.none() | st.deferred(lambda: entries("distiller")),
        },
        "random_mix": {"count": st.none() | st.integers(1, 5), "share": st.sampled_from(["step", "pair"])},
        "ndcg": {"k": st.none() | st.integers(1, 20)},
        "sgd": {"lr": numbers, "betas": st.tuples(numbers, numbers).map(list), "steps": st.lists(st.integers(1, 9))},
    }
    required = {"torchvision": {"architecture": st.text(st.characters(codec="utf-8"))}}
    names = [name for name in COMPONENTS[kind] if name != "polyvore_u"]
    mappings: list[st.SearchStrategy[Any]] = [
        st.fixed_dictionaries({"name": st.just(name), **required.get(name, {})}, optional=fields.get(name, {}))
        for name in names
    ]
    return st.sampled_from([name for name in names if name not in required]) | st.one_of(mappings)


def recipes(*, teacher: bool = True) -> st.SearchStrategy[dict[str, Any]]:
    lr = st.none() | st.floats(0, 1)
    ranks = st.lists(st.integers(1, 20), unique=True, max_size=2).map(
        lambda some: ["auc", *({"name": "ndcg", "k": k} for k in some)]
    )
    cold = st.fixed_dictionaries(
        {"dataset": entries("dataset")},
        optional={"strategies": st.tuples(entries("cold_start")).map(list), "profiles": st.just([2, 3])},
    )
    keys: dict[str, st.SearchStrategy[Any]] = {
        "description": st.text(st.characters(codec="utf-8"), max_size=9),
        "image": st.fixed_dictionaries({}, optional={"size": st.integers(63, 99), "flip": st.booleans()}),
        "model": st.fixed_dictionaries(
            {}, optional={"dim": st.integers(1, 9).map(lambda n: 8 * n), "encoder": entries("encoder")}
        ),
        "negatives": entries("negatives"),
        "objectives": st.tuples(entries("objective")).map(list),
        "train": st.fixed_dictionaries(
            {},
            optional={
                "precision": st.sampled_from([32, "16-mixed"]),
                "clip_norm": st.none() | st.just(math.inf) | st.floats(0.1, 9),
                "optimizer": entries("optimizer"),
                "groups": st.dictionaries(st.text("ab.", min_size=1, max_size=4), st.fixed_dictionaries({"lr": lr})),
            },
        ),
        "evaluate": st.fixed_dictionaries({}, optional={"metrics": ranks, "cold_start": st.none() | cold}),
    }
    if teacher:
        keys |= {"teacher": st.none() | recipes(teacher=False), "dataset": entries("dataset")}
    return st.fixed_dictionaries({"name": st.text("ab1", min_size=1, max_size=5)}, optional=keys).map(taught)


def taught(data: dict[str, Any]) -> dict[str, Any]:
    """A recipe with a teacher where an objective needs one."""
    needed = any(isinstance(one, dict) and one.get("distiller") for one in data.get("objectives", ()))
    return {**data, "teacher": data.get("teacher") or {"name": "t"}} if needed else data


@given(recipes())
@settings(max_examples=15)
def test_a_resolved_recipe_is_the_same_recipe(data: dict[str, Any]) -> None:
    recipe = load(data)
    full = resolved(recipe)
    assert load(full) == recipe
    assert resolved(load(full)) == full
    assert parse(dump_recipe(recipe), "r.yaml").value == full
    assert identity(load(full)) == identity(recipe)


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)


@given(
    st.sampled_from(["name", "teacher", "model", "objectives", "train", "dataset", "requires", "image", "negatives"]),
    st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner), max_leaves=3),
)
def test_any_value_is_taken_or_refused_with_its_place(key: str, value: Any) -> None:
    document = Document.of({"name": "r", key: value}, Place("recipe.yaml", 1, 1))
    try:
        structure_recipe(document, PLUGINS.registry)
    except RecipeError as error:
        assert {problem.where for problem in error.problems} == {"recipe.yaml:1:1"}
