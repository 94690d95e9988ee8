"""Several processes train as one does."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import DRY, PLUGIN, student, tiny
from torch import Tensor

from outfitrec.core.config import create
from outfitrec.core.engine import load_dataset, run
from outfitrec.core.errors import RunError
from outfitrec.core.recipe import load_recipe
from outfitrec.core.runs import Run
from outfitrec.core.seeds import generator
from outfitrec.core.team import ALONE, Team


def without_dropout(recipe: dict[str, Any]) -> dict[str, Any]:
    recipe["model"]["encoder"]["head"] = DRY
    if recipe.get("teacher"):
        without_dropout(recipe["teacher"])
    return recipe


def lines(found: Run) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (found.directory / "metrics.jsonl").read_text().splitlines()]


def check_same(one: Run, two: Run, tolerance: float = 1e-3) -> None:
    """The same loss, metrics and weights, but for rounding, which grows from step to step."""
    for alone, together in zip(lines(one), lines(two), strict=True):
        assert together["train"] == pytest.approx(alone["train"], rel=tolerance)
        assert together["valid"] == pytest.approx(alone["valid"], abs=0.002)
    for label, values in one.result.per_user.items():
        assert two.result.per_user[label] == pytest.approx(values, abs=0.02)
    weights = two.recommender.state_dict()
    for name, tensor in one.recommender.state_dict().items():
        torch.testing.assert_close(weights[name], tensor, atol=tolerance / 10, rtol=tolerance)


CONTRASTIVE = [
    {"name": "ranking", "distiller": {"name": "fnd", "alpha": 2.0}},
    {"name": "contrastive", "weight": 0.2, "views": ["erase", "erase"]},
]


@pytest.mark.parametrize(
    "recipe",
    [
        # 144 pairs in batches of 17: the last step has 8, and nothing divides evenly.
        tiny(train={**tiny()["train"], "batch": 17, "clip_norm": 0.5}),
        student(objectives=CONTRASTIVE),
        # Users and preference have no part in this objective.
        tiny(
            objectives=[{"name": "contrastive", "views": ["erase", "identity"]}],
            train={**tiny()["train"], "optimizer": {"name": "sgd", "lr": 0.005}},
        ),
    ],
    ids=["npair", "fnd-cl", "unused-parameters"],
)
def test_two_processes_train_as_one(tmp_path: Path, recipe: dict[str, Any]) -> None:
    recipe = without_dropout(recipe)
    one = run(recipe, out=tmp_path / "one")
    two = run(recipe, ["train.devices=2"], out=tmp_path / "two")
    assert two.manifest["hardware"]["devices"] == 2
    check_same(one, two)


def test_after_one_step_the_weights_are_the_same_to_the_last_digits(tmp_path: Path) -> None:
    settings = {**tiny()["train"], "epochs": 1, "batch": 144}
    recipe = without_dropout(student(objectives=CONTRASTIVE, train=settings))
    check_same(run(recipe, out=tmp_path / "one"), run(recipe, ["train.devices=2"], out=tmp_path / "two"), 1e-6)


PHOTOS: dict[str, Any] = {
    "name": "photos",
    "dataset": {"name": "synthetic", "users": 4, "items": 300, "pixels": 64, "train": 8, "valid": 4, "test": 4},
    "image": {"size": 64, "stored": 70},
    "model": {
        "dim": 16,
        "encoder": {
            "name": "alexnet",
            "size": "xs",
            "weights": "none",
            "head": DRY,
        },
    },
    "train": {"epochs": 2, "batch": 9, "optimizer": {"name": "sgd", "lr": 0.01}, "accelerator": "cpu"},
}


def test_photos_are_flipped_and_cropped_as_in_one_process(tmp_path: Path) -> None:
    check_same(run(PHOTOS, out=tmp_path / "one"), run(PHOTOS, ["train.devices=2"], out=tmp_path / "two"))


READERS = PLUGIN.with_name("readers.py")


def test_an_objective_reads_all_items_and_features_of_the_step(tmp_path: Path) -> None:
    # The features are trained here: their gradient passes from process to process as that of the embeddings does.
    train = {**PHOTOS["train"], "epochs": 1}
    recipe = {**PHOTOS, "plugins": [str(READERS)], "objectives": ["ranking", "spread"], "train": train}
    check_same(run(recipe, out=tmp_path / "one"), run(recipe, ["train.devices=2"], out=tmp_path / "two"))


MODEL = without_dropout(tiny())["model"]
TAUGHT = [{"name": "hint", "of": "item"}, "relational", "rank_distillation", "score_regression"]


@pytest.mark.parametrize(
    "recipe",
    [
        tiny(plugins=[str(PLUGIN), str(READERS)], model={**MODEL, "aggregator": "amid"}, objectives=["ranking"]),
        student(objectives=["ranking", *TAUGHT]),
        student(negatives={"name": "mixed", "hard": 0.5}),
    ],
    ids=["candidates", "taught", "mixed"],
)
def test_what_reads_the_whole_step_reads_it_in_each_process(tmp_path: Path, recipe: dict[str, Any]) -> None:
    recipe = without_dropout(recipe)
    one = run(recipe, out=tmp_path / "one")
    check_same(one, run(recipe, ["train.devices=2"], out=tmp_path / "two"))
    figures, first = one.result.training["figures"], one.result.training["first"]
    for label in [term if isinstance(term, str) else term["name"] for term in recipe["objectives"]]:
        assert figures[label] != first[label]


def test_mixed_negatives_leave_out_some_that_are_drawn() -> None:
    """Otherwise the case above would say nothing of masks."""
    recipe = load_recipe(student(negatives={"name": "mixed", "hard": 0.5}))
    dataset = load_dataset(recipe)
    train = dataset.splits["train"]
    negatives = create(recipe.negatives, split=train, catalog=dataset.catalog)
    # Pairs of all users.
    mask = negatives.draw(train.positives[::9], generator(0)).mask
    assert 0 < int((~mask).sum()) < mask.numel()


NORMALISED = "the model normalises over the batch, and each process has a part of it"


@pytest.mark.parametrize("norm", [True, False])
def test_a_model_that_normalises_over_the_batch_is_a_warning(tmp_path: Path, norm: bool) -> None:
    encoder: dict[str, Any] = {"name": "autoencoder", "latent": 8, "width": 4} if norm else PHOTOS["model"]["encoder"]
    recipe = {**PHOTOS, "model": {**PHOTOS["model"], "encoder": encoder}, "train": {**PHOTOS["train"], "epochs": 1}}
    together = run(recipe, ["train.devices=2"], out=tmp_path / "two").result.warnings
    assert [text.startswith(NORMALISED) for text in together] == [True] * norm
    if norm:
        assert run(recipe, out=tmp_path / "one").result.warnings == ()


def test_torchrun_trains_as_one_process(tmp_path: Path) -> None:
    recipe = without_dropout(student(objectives=CONTRASTIVE))
    one = run(recipe, out=tmp_path / "one")
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*command, "-m", "outfitrec", "run", "recipe.yaml", "--out", "two", "--json"],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    two = Run(tmp_path / json.loads(done.stdout)["directory"])
    check_same(one, two)
    assert two.teacher is not None
    assert two.teacher.manifest["hardware"]["devices"] == 2


def killed(recipe: dict[str, Any], out: Path) -> None:
    program = "import json, sys, outfitrec\noutfitrec.run(json.loads(sys.argv[1]), out=sys.argv[2], resume=True)\n"
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(recipe), str(out)],
        env={**os.environ, "OUTFITREC_TEST_KILL_AT": "13", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        check=False,
    )
    assert done.returncode != 0


def test_killed_processes_go_on_as_if_they_had_never_stopped(tmp_path: Path) -> None:
    settings = {**tiny()["train"], "devices": 2, "checkpoint_steps": 2}
    recipe = tiny(train=settings)
    whole = run(recipe, out=tmp_path / "whole")
    killed(recipe, tmp_path / "killed")
    resumed = run(recipe, out=tmp_path / "killed", resume=True)
    weights = resumed.recommender.state_dict()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in whole.recommender.state_dict().items())
    assert whole.result.per_user == resumed.result.per_user


def test_a_resume_with_another_number_of_processes_is_refused(tmp_path: Path) -> None:
    recipe = tiny(train={**tiny()["train"], "devices": 2})
    killed(recipe, tmp_path)
    with pytest.raises(RunError, match="ran on other devices: devices 2 → 1"):
        run(tiny(), out=tmp_path, resume=True)


def children() -> list[str]:
    """Command lines of the processes that this one started and that have not ended."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(status.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.append((status.parent / "cmdline").read_text())
        except OSError:
            continue
    return found


DYING = """
import os, signal
from outfitrec import component
from outfitrec.hooks import hookimpl


@component
class Deserter:
    '''An objective that ends every process but the first.'''

    weight, label, unit, needs_teacher = 1.0, "deserter", "pair", False

    def extra(self, batch, generator):
        return None

    def __call__(self, step):
        from torch import distributed
        if distributed.get_rank() > 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return step.positive.sum()


@hookimpl
def outfitrec_register(register):
    register.component("objective", "deserter", ":Deserter", "ends")
"""


LACKING = '''
import torch
from torch import nn
from outfitrec import component, given
from outfitrec.core.outfits import Outfits
from outfitrec.hooks import hookimpl


@component
class Topless:
    """Outfits and the same without their first item shall have one state."""

    weight, label, unit, needs_teacher = 1.0, "topless", "pair", False

    def extra(self, batch, generator):
        items, category = batch.positives.items.clone(), batch.positives.category.clone()
        items[:, 0], category[:, 0] = -1, -1
        return Outfits(items, category)

    def __call__(self, step):
        return (step.state("topless") - step.state("positive")).square().mean()


@component
class Lacking(nn.Module):
    """The mean of the items, and a layer for outfits that lack one."""

    dim: int = given("size of an embedding")

    def __attrs_post_init__(self):
        self.layer = nn.Linear(self.dim, self.dim)

    def forward(self, items, mask, category):
        mean = (items * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        lacks = ~mask.all(dim=1)
        return mean + self.layer(mean) * lacks[:, None] if lacks.any() else mean


@hookimpl
def outfitrec_register(register):
    register.component("objective", "topless", ":Topless", "outfits without their first item")
    register.component("aggregator", "lacking", ":Lacking", "mean, and a layer for what is lacking")
'''


def test_a_layer_that_one_process_alone_has_use_for_is_trained_alike(tmp_path: Path) -> None:
    # The altered outfits are the last of the step, and so all of them are the second process's; the layer is so large
    # that its gradient is sent before the others.
    plugin = tmp_path / "lacking.py"
    plugin.write_text(LACKING)
    recipe = tiny(
        plugins=[str(PLUGIN), str(plugin)],
        objectives=["dying", "topless"],
        model={
            "dim": 512,
            "encoder": {"name": "features", "size": 12, "head": DRY},
            "aggregator": "lacking",
        },
        train={**tiny()["train"], "epochs": 1, "batch": 16, "optimizer": {"name": "sgd", "lr": 0.005}},
    )
    check_same(run(recipe, out=tmp_path / "one"), run(recipe, ["train.devices=2"], out=tmp_path / "two"), 1e-4)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are listed by /proc")
def test_a_process_that_dies_is_an_error_and_leaves_no_other_behind(tmp_path: Path) -> None:
    plugin = tmp_path / "deserter.py"
    plugin.write_text(DYING)
    recipe = tiny(plugins=[str(PLUGIN), str(plugin)], objectives=["deserter"])
    with pytest.raises(RunError, match="another process of this training ended"):
        run(recipe, ["train.devices=2"], out=tmp_path / "out")
    assert not [child for child in children() if "outfitrec.core.follower" in child]


@pytest.mark.parametrize(("count", "size"), [(7, 2), (1, 3), (6, 3), (5, 4)])
def test_the_parts_of_a_team_are_the_whole(count: int, size: int) -> None:
    rows = torch.arange(count)
    parts = [Team(rank, size).part(rows) for rank in range(size)]
    assert {len(part) for part in parts} == {-(-count // size)}
    assert torch.cat(parts)[:count].equal(rows)
    assert ALONE.part(rows) is rows


def test_one_process_has_the_whole() -> None:
    part: Tensor = torch.rand(3, requires_grad=True)
    assert ALONE.whole(part, 3) is part
    assert ALONE.broadcast({"a": 1}) == {"a": 1}
