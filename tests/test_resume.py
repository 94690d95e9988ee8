"""A run that is killed, however often and wherever, and goes on ends as one that never stopped."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from killing import CLOCK, STEP, Death, attempt
from safetensors.torch import load_file
from tiny import master, student, tiny

from outfitrec.core.engine import run

# 144 pairs, 9 steps an epoch.
TRAIN: dict[str, Any] = {**tiny()["train"], "checkpoint_steps": 2}


def momentum() -> dict[str, Any]:
    """A schedule that moves at every step."""
    optimizer, schedule = {"name": "sgd", "lr": 0.05, "momentum": 0.9}, {"name": "cosine", "warmup": 0.5}
    return tiny(train={**TRAIN, "optimizer": optimizer, "schedule": schedule, "clip_norm": 1.0})


def distilled() -> dict[str, Any]:
    """A teacher, which can be killed too."""
    return student(teacher=master(train={**TRAIN, "epochs": 2}), train=TRAIN)


def contrasted(precision: int | str = 32) -> dict[str, Any]:
    """Distilled and contrasted; 3 steps an epoch, whose 512 outfits gather 98,304 numbers of 90 items' embeddings."""
    train = {
        **TRAIN,
        "batch": 128,
        "optimizer": {"name": "adam", "lr": 0.01},
        "schedule": {"name": "plateau", "patience": 0},
        "precision": precision,
        "checkpoint_steps": 1,
    }
    model = {**tiny()["model"], "dim": 64}
    return student(
        dataset={"name": "tiny", "users": 12},
        teacher=master(model=model, train={**train, "epochs": 1}),
        model=model,
        objectives=[
            {"name": "ranking", "distiller": {"name": "fnd", "alpha": 2.0}},
            {"name": "contrastive", "weight": 0.2, "views": ["erase", "erase"]},
        ],
        train=train,
    )


def rounded() -> dict[str, Any]:
    """The same in 16 bits."""
    return contrasted("bf16-mixed")


def mixed() -> dict[str, Any]:
    """Hard and random negatives."""
    train = {**TRAIN, "schedule": {"name": "exponential", "gamma": 0.8}}
    return tiny(negatives={"name": "mixed", "hard": 0.5, "count": 2, "share": "pair"}, train=train)


def headed() -> dict[str, Any]:
    """An objective with parameters of its own, a momentum that moves, and the last epoch in place of the best."""
    train = {
        **TRAIN,
        "optimizer": {"name": "adamw", "lr": 0.01},
        "schedule": {"name": "one_cycle", "cycle_momentum": True},
        "groups": {"objectives.contrastive": {"lr": 0.002}},
        "select": None,
    }
    contrastive = {"name": "contrastive", "views": ["erase", "identity"], "loss": "supervised"}
    return tiny(objectives=["ranking", contrastive], train=train)


def impatient() -> dict[str, Any]:
    """Training that ends early."""
    train = {**TRAIN, "epochs": 40, "patience": 2, "optimizer": {"name": "sgd", "lr": 2.0}, "checkpoint_steps": 4}
    return tiny(train=train)


def photographed() -> dict[str, Any]:
    """Photos, cropped and mirrored, through convolutions and batch normalisation; an autoencoder of similar items."""
    train = {**TRAIN, "epochs": 2, "batch": 12, "optimizer": {"name": "adam", "lr": 0.003}}
    looks = {
        "name": "looks",
        "image": {"size": 32},
        "model": {"dim": 8, "encoder": {"name": "autoencoder", "latent": 8, "width": 4}},
        "objectives": [{"name": "reconstruction", "latent": 8, "width": 4}],
        "train": {**train, "batch": 25, "select": None},
        "evaluate": {"metrics": []},
    }
    data = {"name": "synthetic", "users": 4, "items": 150, "train": 8, "valid": 4, "test": 3, "liked": 0.2}
    return tiny(
        dataset={**data, "pixels": 36},
        image={"size": 32, "stored": 36},
        neighbours=looks,
        model={**tiny()["model"], "encoder": {"name": "autoencoder", "latent": 16, "width": 4}},
        objectives=["ranking", {"name": "contrastive", "views": ["erase", "replace"]}],
        train=train,
    )


@contextmanager
def set_threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def never_stopped(recipe: dict[str, Any], root: Path, threads: int) -> None:
    """Run a recipe in this process."""
    with set_threads(threads), pytest.MonkeyPatch.context() as patch:
        patch.setenv("OUTFITREC_CACHE", str(root / "cache"))
        run(recipe, out=root / "runs")


def killed(recipe: dict[str, Any], root: Path, threads: int, deaths: list[Death]) -> int:
    """Run a recipe to its end, past these deaths; how many processes died."""
    died = 0
    for death in deaths:
        if not attempt(recipe, root, threads, death):
            break
        died += 1
        check_readable(root)
    attempt(recipe, root, threads, None)
    return died


def directories(root: Path) -> list[Path]:
    """The run directories, those of teachers and neighbours among them."""
    return sorted(path for path in root.glob("runs/*") if path.is_dir())


def epochs(directory: Path) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl without the times."""
    rows = [json.loads(line) for line in (directory / "metrics.jsonl").read_text().splitlines()]
    return [{key: row[key] for key in row.keys() - {"seconds", "pairs_per_second"}} for row in rows]


def result(directory: Path) -> dict[str, Any]:
    """What stands in result.json without the times."""
    found: dict[str, Any] = json.loads((directory / "result.json").read_text())
    del found["seconds"], found["training"]["seconds"]
    return found


def checkpoint(pointer: Path) -> Any:
    """The state that a checkpoint's pointer points to, without the times."""
    facts = json.loads(pointer.read_text())
    file = pointer.parent / facts["file"]
    assert hashlib.sha256(file.read_bytes()).hexdigest() == facts["sha256"]
    state = torch.load(file, weights_only=True)
    state.get("fitted", {}).pop("seconds", None)
    return state


def leaves(value: Any, place: str = "") -> Iterator[tuple[str, object]]:
    """All that is in a state, by its place; tensors as bytes."""
    if isinstance(value, torch.Tensor):
        content = value.contiguous().flatten().view(torch.uint8).numpy().tobytes()
        yield place, (value.dtype, value.shape, content)
    elif isinstance(value, dict | list | tuple):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(one, f"{place}/{key}")
    else:
        yield place, repr(value)


def files(directory: Path) -> list[str]:
    """Names of the files of a run, but for the epoch and step in those of checkpoints."""
    found = (path.relative_to(directory) for path in directory.rglob("*") if path.is_file())
    return sorted(str(path).partition("-")[0] for path in found)


def check_readable(root: Path) -> None:
    """Whatever a killed process left under a file's name is that file, complete."""
    for file in root.rglob("[!.]*.json"):
        json.loads(file.read_text())
    for file in root.rglob("[!.]*.safetensors"):
        load_file(file)
    for directory in directories(root):
        for pointer in directory.glob("checkpoints/[!.]*.json"):
            checkpoint(pointer)
        if (directory / "metrics.jsonl").exists():
            rows = epochs(directory)
            assert [row["epoch"] for row in rows] == list(range(1, len(rows) + 1))


def check_same(one: Path, two: Path) -> None:
    """The same runs bit for bit, with all that they would go on with, and nothing else in their directories."""
    assert [path.name for path in directories(one)] == [path.name for path in directories(two)]
    for first, second in zip(directories(one), directories(two), strict=True):
        assert files(first) == files(second)
        assert epochs(first) == epochs(second)
        assert result(first) == result(second)
        for name in ("weights.safetensors", "model.json"):
            assert (first / "model" / name).read_bytes() == (second / "model" / name).read_bytes()
        for pointer in first.glob("checkpoints/*.json"):
            other = second / "checkpoints" / pointer.name
            assert dict(leaves(checkpoint(pointer))) == dict(leaves(checkpoint(other)))


# Checkpoints are made at steps 2, 4, 6 and 8 of an epoch, and at its end.
WORST = [
    Death(STEP, 6),  # Of the teacher.
    Death("last-*.pt", 3, torn=True),  # Half of a checkpoint is written.
    Death("last.json", 1),  # All of it is, and the pointer is still to the one before.
    Death("metrics.jsonl", 4),  # An epoch has its line, and no checkpoint.
    Death("best.json", 1),  # An epoch is the best by the last checkpoint, and not pointed to as the best.
    Death("result.json", 1),  # All is done but for the result.
]
# The second one repeats what the first one did last.
AGAIN = [Death("last.json", 4 * 4 + 1), Death("best.json", 1)]


@pytest.mark.parametrize(("recipe", "deaths"), [(distilled, WORST), (momentum, AGAIN)])
def test_a_run_killed_at_the_worst_moments_ends_as_one_that_never_stopped(
    tmp_path: Path, recipe: Callable[[], dict[str, Any]], deaths: list[Death]
) -> None:
    never_stopped(recipe(), tmp_path / "whole", 1)
    assert killed(recipe(), tmp_path / "killed", 1, deaths) == len(deaths)
    check_same(tmp_path / "whole", tmp_path / "killed")


# What is written once in a run, and in each epoch or at each second step.
ONCE = ["manifest.json", "recipe.yaml", "weights.safetensors", "model.json", "result.json", "*.safetensors"]
OFTEN = ["*", "last-*.pt", "last.json", "best-*.pt", "best.json", "metrics.jsonl"]
DEATHS = st.one_of(
    st.builds(Death, st.just(STEP), st.integers(1, 8)),
    st.builds(Death, st.sampled_from(ONCE), st.integers(1, 4), st.booleans()),
    st.builds(Death, st.sampled_from(OFTEN), st.integers(1, 12), st.booleans()),
    st.builds(Death, st.just(CLOCK), st.integers(60, 600)),
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "threads"),
    [
        (momentum, 1),
        (distilled, 1),
        (contrasted, 2),
        (rounded, 2),
        (mixed, 1),
        (headed, 1),
        (impatient, 1),
        (photographed, 1),
    ],
)
def test_a_run_killed_at_random_moments_ends_as_one_that_never_stopped(
    tmp_path: Path, recipe: Callable[[], dict[str, Any]], threads: int
) -> None:
    never_stopped(recipe(), tmp_path / "whole", threads)
    died: list[int] = []

    # A failure is told as it is found: to shrink it would take hours.
    @settings(max_examples=8, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(st.lists(DEATHS, min_size=4, max_size=8))
    def check(deaths: list[Death]) -> None:
        root = tmp_path / f"killed-{len(died)}"
        died.append(killed(recipe(), root, threads, deaths))
        check_same(tmp_path / "whole", root)

    check()
    assert sum(died) >= 20
