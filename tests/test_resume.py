"""A run that is killed, however often and wherever, and goes on ends as one that never stopped."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from killing import CLOCK, STEP, Death, attempt
from tiny import master, student, tiny

from outfitrec.core.engine import run

# As `tiny` writes it, but for what each recipe is about: 144 pairs, 9 steps an epoch.
TRAIN: dict[str, Any] = {**tiny()["train"], "checkpoint_steps": 2}


def momentum() -> dict[str, Any]:
    """N-pair, with a schedule that moves at every step."""
    optimizer = {"name": "sgd", "lr": 0.05, "momentum": 0.9}
    return tiny(train={**TRAIN, "optimizer": optimizer, "schedule": {"name": "cosine", "warmup": 0.5}, "clip_norm": 1.0})


def distilled() -> dict[str, Any]:
    """A teacher, which is killed too."""
    return student(teacher=master(train={**TRAIN, "epochs": 2}), train=TRAIN)


def distilled_contrasted() -> dict[str, Any]:
    """Steps of 512 outfits, which gather 196,608 numbers of 90 items; 288 pairs, 3 steps an epoch."""
    train = {
        **TRAIN,
        "epochs": 5,
        "batch": 128,
        "optimizer": {"name": "adam", "lr": 0.01},
        "schedule": {"name": "plateau", "patience": 0},
        "precision": "bf16-mixed",
        "checkpoint_steps": 1,
    }
    model = {**tiny()["model"], "dim": 128}
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


def mixed() -> dict[str, Any]:
    """Hard and random negatives."""
    train = {**TRAIN, "schedule": {"name": "exponential", "gamma": 0.8}}
    return tiny(negatives={"name": "mixed", "hard": 0.5, "count": 2, "share": "pair"}, train=train)


def headed() -> dict[str, Any]:
    """An objective with parameters of its own; moments and momentum that move; the last epoch, not the best."""
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


@contextmanager
def set_threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    yield
    torch.set_num_threads(before)


def never_stopped(recipe: dict[str, Any], root: Path, threads: int) -> Path:
    """The folder of a run that was not killed."""
    with set_threads(threads), pytest.MonkeyPatch.context() as patch:
        patch.setenv("OUTFITREC_CACHE", str(root / "cache"))
        run(recipe, out=root / "runs")
    return root / "runs"


def directories(runs: Path) -> list[Path]:
    return sorted(path for path in runs.iterdir() if path.is_dir())


def epochs(directory: Path) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl without the times."""
    rows = [json.loads(line) for line in (directory / "metrics.jsonl").read_text().splitlines()]
    return [{key: row[key] for key in row if key not in ("seconds", "pairs_per_second")} for row in rows]


def result(directory: Path) -> dict[str, Any]:
    """What stands in result.json but the times."""
    found: dict[str, Any] = json.loads((directory / "result.json").read_text())
    del found["seconds"], found["training"]["seconds"]
    return found


def state(directory: Path, name: str) -> Any:
    """A checkpoint but the times; it is checked that its pointer is right."""
    facts = json.loads((directory / "checkpoints" / f"{name}.json").read_text())
    file = directory / "checkpoints" / facts["file"]
    assert hashlib.sha256(file.read_bytes()).hexdigest() == facts["sha256"]
    found = torch.load(file, weights_only=True)
    found.get("fitted", {}).pop("seconds", None)
    return found


def leaves(value: Any, place: str = "") -> Iterator[tuple[str, object]]:
    """All values in a state by their place; tensors as bytes."""
    if isinstance(value, torch.Tensor):
        yield place, (value.dtype, tuple(value.shape), bytes(value.contiguous().flatten().view(torch.uint8).tolist()))
    elif isinstance(value, dict | list | tuple):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(one, f"{place}/{key}")
    else:
        yield place, repr(value)


def check_readable(runs: Path) -> None:
    """Whatever has a file's name is that file, complete."""
    for directory in directories(runs):
        for file in directory.rglob("[!.]*.json"):
            json.loads(file.read_text())
        if (directory / "metrics.jsonl").exists():
            rows = epochs(directory)
            assert [row["epoch"] for row in rows] == list(range(1, len(rows) + 1))
        for pointer in directory.glob("checkpoints/*.json"):
            state(directory, pointer.stem)


def check_same(one: Path, two: Path) -> None:
    """Two folders of finished runs, bit for bit, and nothing else in them."""
    for first, second in zip(directories(one), directories(two), strict=True):
        assert first.name == second.name
        assert epochs(first) == epochs(second)
        assert result(first) == result(second)
        for name in ("weights.safetensors", "model.json"):
            assert (first / "model" / name).read_bytes() == (second / "model" / name).read_bytes()
        names = [path.stem for path in first.glob("checkpoints/*.json")]
        for name in names:
            assert dict(leaves(state(first, name))) == dict(leaves(state(second, name)))
        files = [[path for path in each.rglob("*") if path.is_file()] for each in (first, second)]
        assert len(files[0]) == len(files[1])
        assert {path.name for path in files[0] if path.suffix != ".pt"} == {
            path.name for path in files[1] if path.suffix != ".pt"
        }


def kill(recipe: dict[str, Any], root: Path, threads: int, deaths: list[Death]) -> int:
    """Run a recipe to its end in spite of these deaths; how many there were."""
    died = 0
    for death in deaths:
        if not attempt(recipe, root, threads, death):
            break
        died += 1
        if (root / "runs").is_dir():
            check_readable(root / "runs")
    attempt(recipe, root, threads, None)
    return died


# A change to a file that is asked for, and the state that it finds.
PLACES = {
    "within a step of the teacher": Death(STEP, 5),
    "before the first checkpoint": Death("last-*.pt", 3, torn=True),
}


def test_a_run_killed_at_the_worst_moments_ends_as_one_that_never_stopped(tmp_path: Path) -> None:
    deaths = [
        Death(STEP, 6),  # of the teacher
        Death("last-*.pt", 3, torn=True),
        Death("last.json", 1),  # after the tensors, before the pointer
        Death("metrics.jsonl", 8),
        Death("result.json", 3),
    ]
    recipe = distilled()
    whole = never_stopped(recipe, tmp_path / "whole", 1)
    assert kill(recipe, tmp_path / "killed", 1, deaths) == len(deaths)
    check_same(whole, tmp_path / "killed" / "runs")


FILES = ["*", "last-*.pt", "last.json", "best-*.pt", "best.json", "metrics.jsonl", "manifest.json", "recipe.yaml"]
FILES += ["weights.safetensors", "model.json", "result.json"]
DEATHS = st.one_of(
    st.builds(Death, st.just(STEP), st.integers(1, 20)),
    st.builds(Death, st.sampled_from(FILES), st.integers(1, 16), st.booleans()),
    st.builds(Death, st.just(CLOCK), st.integers(50, 800)),
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "threads"),
    [(momentum, 1), (distilled, 1), (distilled_contrasted, 2), (mixed, 1), (headed, 1), (impatient, 1)],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_whenever_it_is_killed_a_run_ends_as_one_that_never_stopped(
    tmp_path: Path, recipe: Any, threads: int
) -> None:
    whole = never_stopped(recipe(), tmp_path / "whole", threads)
    died, tries = 0, 0

    @settings(max_examples=6, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(st.lists(DEATHS, min_size=4, max_size=8))
    def check(deaths: list[Death]) -> None:
        nonlocal died, tries
        tries += 1
        root = tmp_path / str(tries)
        died += kill(recipe(), root, threads, deaths)
        check_same(whole, root / "runs")
        print(died, tries, deaths)

    check()
    assert died >= 20
