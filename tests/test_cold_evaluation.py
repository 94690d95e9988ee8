"""The evaluation on users whom the model does not know."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
import torch
from colds import naive_weights
from commands import invoke
from sklearn.metrics import roc_auc_score
from tiny import tiny
from torch import Generator, Tensor

from outfitrec import evaluate, run
from outfitrec.core.cold import ColdEvaluator, load_cold
from outfitrec.core.config import Ready
from outfitrec.core.data import Dataset, Rows, Split
from outfitrec.core.engine import load_dataset
from outfitrec.core.errors import DataError, OutfitrecError, RecipeError
from outfitrec.core.items import ItemSource
from outfitrec.core.outfits import Outfits
from outfitrec.core.progress import QUIET
from outfitrec.core.recipe import load_recipe, resolved
from outfitrec.core.runs import Run
from outfitrec.core.seeds import generator
from outfitrec.core.session import Options, Session
from outfitrec.core.settings import ColdStartSettings, Recipe
from outfitrec.plugins.negatives.stored import Stored

unknown: dict[str, Any] = {"dataset": {"name": "tiny", "seed": 1, "users": 4}, "draws": 3}
# Known users and items enough for new users to be like some of them.
MANY = {"dataset.users": 60, "dataset.items": 300, "train.epochs": 6, "evaluate.cold_start.dataset.items": 300}


def cold_recipe(**changes: Any) -> dict[str, Any]:
    """A recipe with an evaluation on unknown users."""
    return tiny(evaluate={"cold_start": {**unknown, **changes}})


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(cold_recipe(profiles=[2, 20]), MANY, out=tmp_path_factory.mktemp("runs"))


def test_the_evaluation_is_that_of_a_naive_loop_over_users_and_draws(many: Run) -> None:
    found = many
    recipe = load_recipe(found.directory / "recipe.yaml")
    assert recipe.evaluate.cold_start is not None
    dataset = Session(recipe, load_dataset(recipe), "student", Options()).cold
    assert dataset is not None
    train, test = dataset.dataset.splits["train"].positives, dataset.dataset.splits["test"]
    model, catalog = found.recommender, dataset.dataset.catalog
    assert catalog.features is not None
    wrong = Stored(split=test, catalog=catalog).draw(test.positives, generator(0, "evaluation")).outfits
    with torch.no_grad():
        table = model.embed(catalog.features, catalog.category)

        def scores(outfits: Outfits) -> np.ndarray[Any, Any]:
            """Score of each known user for each outfit, one by one."""
            rows = []
            for k in range(len(outfits)):
                state = model.state(table, outfits.items[k : k + 1], outfits.category[k : k + 1])
                rows.append([float(model.preference(torch.tensor([user]), state)) for user in range(60)])
            return np.array(rows).T

        values: dict[tuple[str, int, int], list[float]] = {}
        for user in range(4):
            mine = (train.users == user).nonzero().flatten()
            posted = (test.positives.users == user).nonzero().flatten()
            others = (posted[:, None] * 10 + torch.arange(10)).flatten()
            ranked = scores(Outfits.cat([test.positives.outfits[posted], wrong[others]]))
            relevant = [1] * len(posted) + [0] * len(others)
            for draw in range(3):
                order = torch.randperm(len(mine), generator=generator(0, "profile", user, draw))
                for size in (2, 20):
                    means = scores(train.outfits[mine[order[:size]]]).mean(axis=1).tolist()
                    for label, temperature in (("average", None), ("weighted_average", 0.2)):
                        weights = np.array(naive_weights(means, 0.0, temperature))
                        auc = roc_auc_score(relevant, weights @ ranked)
                        values.setdefault((label, size, draw), []).append(auc)
    cold = found.result.cold_start
    assert cold is not None
    assert set(cold["strategies"]) == {"average", "weighted_average"}
    for label, sizes in cold["strategies"].items():
        assert set(sizes) == {"2", "20"}
        for size, metrics in sizes.items():
            assert set(metrics) == {"auc", "ndcg"}
            draws = [np.mean(values[label, int(size), draw]) for draw in range(3)]
            assert metrics["auc"]["mean"] == pytest.approx(np.mean(draws), abs=1e-6)
            assert metrics["auc"]["deviation"] == pytest.approx(np.std(draws, ddof=1), abs=1e-6)
            assert metrics["auc"]["deviation"] > 0
    facts = cold["protocol"]
    assert (facts["data"], facts["users"], facts["draws"], facts["seed"]) == (dataset.dataset.digest, 4, 3, 0)


def test_a_user_of_more_liked_outfits_is_served_better(many: Run) -> None:
    asked = {"dataset.users": 12, "profiles": [1, 20], "draws": 10}
    found = evaluate(many, {f"evaluate.cold_start.{key}": value for key, value in asked.items()})["cold_start"]
    for sizes in found["strategies"].values():
        assert 0.5 < sizes["1"]["auc"]["mean"] < sizes["20"]["auc"]["mean"]
        assert sizes["20"]["auc"]["deviation"] < sizes["1"]["auc"]["deviation"]


class Counting(ItemSource):
    """Remembers which items were asked for."""

    def __init__(self, inner: ItemSource) -> None:
        self.inner = inner
        self.asked: list[int] = []

    def crops(self, count: int, generator: Generator) -> Any:
        return None

    def features(self, ids: Tensor, crops: Any) -> Tensor:
        self.asked += ids.tolist()
        return self.inner.features(ids, crops)

    def photos(self, ids: Tensor, crops: Any) -> Tensor:
        raise AssertionError("no photos here")


@pytest.fixture
def trained(tmp_path: Path) -> Run:
    return run(tiny(), out=tmp_path / "runs")


def evaluator(trained: Run, recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> tuple[ColdEvaluator, list[Counting]]:
    """The evaluator of a recipe, and the sources that it reads."""
    sources: list[Counting] = []
    source = Session.source

    def counted(session: Session, *arguments: Any, **more: Any) -> Counting:
        sources.append(Counting(source(session, *arguments, **more)))
        return sources[-1]

    monkeypatch.setattr(Session, "source", counted)
    session = Session(recipe, load_dataset(recipe), "student", Options(out=trained.directory.parent))
    found = session.cold_start(trained.recommender, torch.device("cpu"))
    assert found is not None
    return found, sources


def test_each_item_is_encoded_once_and_nothing_is_changed(trained: Run, monkeypatch: pytest.MonkeyPatch) -> None:

    recipe = load_recipe(cold_recipe(profiles=[1, 5], draws=10))
    cold, [source] = evaluator(trained, recipe, monkeypatch)
    model = trained.recommender.train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    first = cold.evaluate(model, torch.device("cpu"), QUIET)
    assert len(source.asked) == len(set(source.asked)) > 30
    assert model.training
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert cold.evaluate(model, torch.device("cpu"), QUIET) == first


def test_a_profile_does_not_depend_on_which_others_are_evaluated(trained: Run) -> None:
    def found(**changes: Any) -> Any:
        return evaluate(trained, {"evaluate.cold_start": {**unknown, **changes}})["cold_start"]

    both, alone = found(profiles=[3, 5]), found(profiles=[3], strategies=["average"])
    assert both["protocol"] == alone["protocol"]
    assert alone["strategies"] == {"average": {"3": both["strategies"]["average"]["3"]}}
    single = found(draws=1)
    assert single["protocol"]["hash"] != both["protocol"]["hash"]
    assert single["strategies"]["average"]["1"]["auc"]["deviation"] is None


def test_chunks_do_not_change_the_result(trained: Run) -> None:
    def figures(*overrides: str) -> Iterator[float]:
        found = evaluate(trained, [f"evaluate.cold_start={json.dumps(unknown)}", *overrides])["cold_start"]
        for sizes in found["strategies"].values():
            yield from (one["mean"] for metrics in sizes.values() for one in metrics.values())

    assert list(figures()) == pytest.approx(list(figures("evaluate.chunk=7", "evaluate.images=3")), abs=1e-6)


def test_a_finished_run_can_be_evaluated_on_unknown_users(trained: Run, tmp_path: Path) -> None:
    assert trained.result.cold_start is None
    found = run(cold_recipe(), out=tmp_path / "cold")
    again = evaluate(trained, {"evaluate.cold_start": unknown})
    assert again["cold_start"] == found.summary()["cold_start"]
    assert again["test"] == found.result.test
    changed = evaluate(found, ["evaluate.cold_start.draws=2", "evaluate.cold_start.dataset.users=3"])["cold_start"]
    assert (changed["protocol"]["draws"], changed["protocol"]["users"]) == (2, 3)
    assert evaluate(found, ["evaluate.cold_start=null"])["cold_start"] is None
    printed = invoke("evaluate", found.directory)
    assert printed.exit_code == 0
    one = again["cold_start"]["strategies"]["weighted_average"]["5"]["auc"]
    assert f"{one['mean']:.4f} ± {one['deviation']:.4f}" in printed.stdout
    assert again["cold_start"]["protocol"]["hash"] in printed.stdout
    assert "cold start" not in invoke("evaluate", trained.directory).stdout


def test_a_result_without_the_key_can_be_read(trained: Run) -> None:
    path = trained.directory / "result.json"
    facts = json.loads(path.read_text())
    del facts["cold_start"]
    path.write_text(json.dumps(facts))
    assert Run(trained.directory).summary()["cold_start"] is None


def test_other_unknown_users_make_another_run(tmp_path: Path) -> None:
    def directory(**changes: Any) -> Path:
        recipe = load_recipe(cold_recipe(**changes))
        return Session(recipe, load_dataset(recipe), "student", Options(out=tmp_path)).directory.path

    assert directory() == directory()
    names = [directory(), directory(draws=2), directory(dataset={"name": "tiny", "seed": 2, "users": 4})]
    assert len(set(names)) == 3


def test_a_recipe_with_unknown_users_is_the_same_when_it_is_resolved() -> None:
    recipe = load_recipe(cold_recipe())
    assert load_recipe(resolved(recipe)) == recipe
    assert load_recipe(tiny()).evaluate.cold_start is None
    assert resolved(recipe)["evaluate"]["cold_start"]["strategies"][1] == {
        "name": "weighted_average",
        "threshold": 0.0,
        "temperature": 0.2,
        "label": "weighted_average",
    }
    nothing = resolved(load_recipe(tiny()))
    assert nothing["evaluate"]["cold_start"] is None
    path = {"evaluate.cold_start.dataset": {"name": "polyvore_u", "root": "data", "users": 3}}
    given_now = load_recipe(nothing, {**path, "evaluate.cold_start.draws": 2}).evaluate.cold_start
    assert given_now is not None
    assert (given_now.dataset.root, given_now.draws) == (str(Path.cwd() / "data"), 2)
    tuned = load_recipe(cold_recipe(), ["evaluate.cold_start.strategies.weighted_average.temperature=0.5"])
    assert tuned.evaluate.cold_start is not None
    assert [one.name for one in tuned.evaluate.cold_start.strategies] == ["average", "weighted_average"]
    assert tuned.evaluate.cold_start.strategies[1].temperature == 0.5


@pytest.mark.parametrize(
    ("cold", "message"),
    [
        (3, "evaluate.cold_start: must be a mapping or null, not 3"),
        ({"draws": 2}, "evaluate.cold_start.dataset: is missing"),
        ({**unknown, "drwas": 2}, "evaluate.cold_start.drwas: unknown key\n    did you mean 'draws'?"),
        ({**unknown, "profiles": [0]}, "evaluate.cold_start.profiles: must be ≥ 1"),
        ({**unknown, "profiles": []}, "evaluate.cold_start.profiles: at least one is needed"),
        ({**unknown, "profiles": [2, 2]}, "evaluate.cold_start.profiles.1: 2 is there already"),
        ({**unknown, "strategies": []}, "evaluate.cold_start.strategies: at least one is needed"),
        ({**unknown, "strategies": ["average", "average"]}, "strategies.1: 'average' is there already"),
        ({**unknown, "strategies": ["averag"]}, "did you mean 'average'?"),
    ],
)
def test_mistakes_in_the_settings_are_said(cold: Any, message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe(tiny(evaluate={"cold_start": cold}))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"profiles": [1, 25]}, "user 3 has 24 outfits in train, and a profile of 25 is asked for"),
        ({"dataset": {"name": "tiny"}}, "these are the users that the model is trained on"),
        ({"dataset": {"name": "polyvore_u", "root": "nowhere", "users": 3}}, "no such folder"),
        ({"dataset": {"name": "tiny", "seed": 1, "size": 5}}, "the features have length 5"),
    ],
)
def test_data_that_cannot_be_evaluated_stop_a_run_before_it_starts(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(OutfitrecError) as caught:
        run(cold_recipe(**changes), out=tmp_path / "runs")
    assert message in str(caught.value)
    assert not list(tmp_path.glob("runs/*/*"))


@attrs.frozen
class Given:
    """A dataset that is at hand."""

    dataset: Dataset

    def load(self) -> Dataset:
        return self.dataset


def test_data_that_the_model_cannot_take_are_refused() -> None:
    known, other = (load_dataset(load_recipe(tiny(), {"dataset.seed": seed})) for seed in (0, 1))
    catalog = attrs.evolve(other.catalog, categories=("top", "bottom", "hat"))
    train = other.splits["train"].positives
    wide = Split(Rows(train.users, train.outfits.padded(4)))
    for changes, message in (
        ({"catalog": catalog}, "for the categories top, bottom, shoe, and the dataset has top, bottom, hat"),
        ({"splits": {**other.splits, "train": wide}}, "for outfits of 3 slots, and the dataset has outfits of 4"),
        ({"splits": {"train": other.splits["train"]}}, "the dataset has no outfits in test"),
        ({"digest": known.digest}, "these are the users that the model is trained on"),
    ):
        asked = ColdStartSettings(dataset=Ready(instance=Given(attrs.evolve(other, **changes))), strategies=())
        with pytest.raises(DataError, match=message):
            load_cold(asked, known)


def test_all_users_with_too_few_outfits_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        run(cold_recipe(profiles=[24, 25, 30]), out=tmp_path)
    assert len(caught.value.problems) == 4 * 2


def test_real_users_who_are_unknown_are_served(tmp_path: Path, closet: Path, squeezenet: Path) -> None:
    encoder = {"name": "torchvision", "architecture": "squeezenet1_1", "frozen": True, "weights": str(squeezenet)}
    data = {"name": "polyvore_u", "root": str(closet)}
    recipe = {
        "name": "closet",
        "dataset": {**data, "users": 40},
        "image": {"size": 64},
        "model": {"encoder": encoder},
        "train": {"epochs": 3, "optimizer": {"name": "sgd", "lr": 0.03}, "accelerator": "cpu"},
        "evaluate": {"cold_start": {"dataset": {**data, "users": 12}}},
    }
    found = run(recipe, out=tmp_path)
    cold = found.summary()["cold_start"]
    assert (cold["protocol"]["users"], cold["protocol"]["negatives"]) == (12, "stored random")
    for sizes in cold["strategies"].values():
        assert 0.5 < sizes["5"]["auc"]["mean"] < found.result.test["auc"]
    weighted = cold["strategies"]["weighted_average"]
    assert weighted["1"]["auc"]["mean"] < weighted["5"]["auc"]["mean"]
    hard = evaluate(found, ["evaluate.negatives.set=hard"])["cold_start"]
    assert hard["protocol"]["negatives"] == "stored hard"
    assert hard["strategies"] != cold["strategies"]
