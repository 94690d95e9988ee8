"""What a model costs is measured on the work that it claims, in a process of its own."""

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import torch
from tiny import tiny
from torch import Tensor
from torchvision.models import squeezenet1_1

from outfitrec.benchmark import efficiency
from outfitrec.benchmark.efficiency import OUTFITS, Recommending, figures_of, measure
from outfitrec.benchmark.memory import LinuxGauge, PeakGauge, gauge
from outfitrec.core.engine import run
from outfitrec.core.errors import RunError, UserError
from outfitrec.core.evaluation import Evaluator
from outfitrec.core.outfits import Outfits
from outfitrec.core.progress import QUIET
from outfitrec.core.recommender import Recommender
from outfitrec.core.reevaluate import reopen
from outfitrec.core.runs import Run
from outfitrec.core.serving import Model
from outfitrec.plugins.encoders.autoencoder import Autoencoder
from outfitrec.plugins.encoders.torchvision import TorchvisionEncoder

CPU = torch.device("cpu")
DATA = {"name": "synthetic", "users": 4, "items": 150, "pixels": 32, "train": 8, "valid": 4, "test": 3, "liked": 0.2}
UNTRAINED = {**tiny()["train"], "epochs": 0}
ALL = {"photos_seconds", "cached_seconds", "photos_per_second", "latency", "memory", "memory_before", "parameters"}


def photographed(encoder: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A recipe of photos, not trained."""
    model = {"dim": 8, "encoder": encoder, "aggregator": "mean"}
    recipe = {"name": "photos", "dataset": DATA, "image": {"size": 32}, "model": model, "train": UNTRAINED}
    return {**recipe, **changes}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose encoder learned from photos."""
    encoder = {"name": "autoencoder", "width": 4, "latent": 8}
    return run(photographed(encoder, train={**UNTRAINED, "epochs": 1}), out=tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose encoder is frozen, so that its features are in the cache."""
    folder = tmp_path_factory.mktemp("frozen")
    torch.save(squeezenet1_1(weights=None).state_dict(), folder / "weights.pth")
    weights = {"architecture": "squeezenet1_1", "weights": str(folder / "weights.pth"), "frozen": True}
    return run(photographed({"name": "torchvision", **weights}), out=folder / "runs")


def recommending(found: Run) -> tuple[Recommending, Evaluator]:
    """What is measured, and what ranks in an evaluation."""
    session = reopen(found)
    test = session.test()
    assert test is not None
    return Recommending(found.model, session, test.rows, CPU), test


def counted(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, size: Callable[..., int]) -> list[int]:
    """The sizes of the calls of a method."""
    sizes: list[int] = []
    method = getattr(owner, name)

    def count(self: Any, *arguments: Any) -> Any:
        sizes.append(size(*arguments))
        return method(self, *arguments)

    monkeypatch.setattr(owner, name, count)
    return sizes


def test_every_figure_is_there_and_positive(trained: Run) -> None:
    found = measure(str(trained.directory), 3)
    assert found.keys() == ALL
    timed = {name: one for name, one in found.items() if isinstance(one, list)}
    assert {name: len(values) for name, values in timed.items()} == dict.fromkeys(
        ("photos_seconds", "cached_seconds", "photos_per_second", "latency"), 3
    )
    for name in ("memory", "memory_before", "parameters"):
        timed[name] = [found[name]]  # type: ignore[list-item]  # a number
    for name, values in timed.items():
        assert all(math.isfinite(one) and one > 0 for one in values), name
    assert median(timed["cached_seconds"]) < median(timed["photos_seconds"])
    assert found["parameters"] == trained.result.parameters["total"]
    # Python and torch take that much.
    assert timed["memory_before"][0] > 100e6


def test_a_model_of_given_features_has_no_figures_of_photos(tmp_path: Path) -> None:
    found = run(tiny(train=UNTRAINED), out=tmp_path)
    figures = figures_of(found.directory, 2, {})
    assert figures.keys() == {"cached_seconds", "memory", "memory_before", "parameters"}
    cached = figures["cached_seconds"]
    assert isinstance(cached, list)
    assert len(cached) == 2
    assert min(cached) > 0


@pytest.mark.parametrize("which", ["trained", "frozen"])
def test_what_is_timed_gives_the_scores_of_the_evaluation(which: str, request: pytest.FixtureRequest) -> None:
    found: Run = request.getfixturevalue(which)
    work, test = recommending(found)
    ranking = work.rank(work.encode())
    for metric in reopen(found).metrics():
        values = metric(ranking.scores, test.relevant, test.rows.users)
        assert values.tolist() == pytest.approx(found.result.per_user[metric.label], abs=1e-6)
    assert len(ranking.scores) == len(test.rows)


def test_every_user_gets_all_outfits_in_order(trained: Run) -> None:
    work, test = recommending(trained)
    ranking = work.rank(work.encode())
    assert sorted(ranking.order.tolist()) == list(range(len(test.rows)))
    scores, users = ranking.scores.tolist(), test.rows.users.tolist()
    naive = sorted(range(len(users)), key=lambda row: (users[row], -scores[row]))
    assert [(users[row], scores[row]) for row in ranking.order.tolist()] == [(users[k], scores[k]) for k in naive]
    assert set(users) == set(range(4))


@pytest.mark.parametrize(("which", "encoder"), [("trained", Autoencoder), ("frozen", TorchvisionEncoder)])
def test_every_photo_is_encoded_each_time(
    which: str, encoder: type, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: Run = request.getfixturevalue(which)
    work, test = recommending(found)
    assert torch.equal(work.items, test.rows.outfits.items.unique())
    encoded = counted(monkeypatch, encoder, "features", len)
    work.encode()
    assert sum(encoded) == len(work.items)
    encoded.clear()
    figures_of(found.directory, 2, {})
    # Once to warm up, twice timed; besides, the photos of single outfits, one of which warms up.
    rows = torch.linspace(0, len(test.rows) - 1, OUTFITS).long()
    alone = test.rows.outfits.mask.sum(dim=1)[rows]
    assert sum(encoded) == 3 * len(work.items) + int(2 * alone.sum() + alone[0])


def test_every_outfit_is_scored_each_time(trained: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def rows(table: Tensor, users: Tensor, outfits: Outfits, chunk: int) -> int:
        return len(users)

    scored = counted(monkeypatch, Recommender, "score_rows", rows)
    work, test = recommending(trained)
    figures_of(trained.directory, 2, {})
    # Once to warm up, twice with photos, twice without.
    assert scored == [len(test.rows)] * 5
    assert len(work.items) > 0


def test_a_rate_is_of_the_photos_in_the_time_of_the_encoding(trained: Run) -> None:
    work, _ = recommending(trained)
    figures = figures_of(trained.directory, 3, {})
    seconds, rates = figures["photos_seconds"], figures["photos_per_second"]
    assert isinstance(seconds, list)
    assert isinstance(rates, list)
    assert all(len(work.items) / rate < total for rate, total in zip(rates, seconds, strict=True))


def test_a_latency_is_the_median_over_single_outfits(trained: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10**6))

    def tick() -> float:
        return float(next(clock))

    def photos(users: list[int], outfits: list[list[bytes]], categories: list[list[str]]) -> int:
        assert (len(users), len(outfits), len(categories)) == (1, 1, 1)
        assert all(isinstance(photo, bytes) for photo in outfits[0])
        return len(outfits[0])

    asked = counted(monkeypatch, Model, "score_photos", photos)
    monkeypatch.setattr(time, "perf_counter", tick)
    # Every piece of work takes one tick.
    assert figures_of(trained.directory, 2, {})["latency"] == [1.0, 1.0]
    assert len(asked) == 2 * OUTFITS + 1


def test_memory_grows_with_the_model(tmp_path: Path) -> None:
    def found(dim: int) -> tuple[float, float]:
        model = {**tiny()["model"], "dim": dim}
        figures = measure(str(run(tiny(model=model, train=UNTRAINED), out=tmp_path).directory), 1)
        memory, parameters = figures["memory"], figures["parameters"]
        assert isinstance(memory, int)
        assert isinstance(parameters, int)
        return memory, parameters

    small, large = found(16), found(1024)
    more = 4 * (large[1] - small[1])
    assert more > 20e6
    assert 0.9 * more < large[0] - small[0] < 4 * more


def test_a_run_that_ranks_nothing_is_refused(tmp_path: Path) -> None:
    last = {**tiny()["train"], "select": None, "epochs": 1}
    found = run(tiny(evaluate={"metrics": []}, train=last), out=tmp_path)
    with pytest.raises(RunError, match="ranks nothing"):
        figures_of(found.directory, 1, {})


def test_what_cannot_be_measured_is_said(trained: Run, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no run in"):
        measure(str(tmp_path))
    with pytest.raises(UserError, match="must be 1 or more, not 0"):
        measure(str(trained.directory), 0)
    with pytest.raises(RunError, match=r"could not be measured: model\.dim: the model is trained already"):
        measure(str(trained.directory), 1, QUIET, **{"model.dim": 9})


def test_options_are_keys_of_the_recipe(trained: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = counted(monkeypatch, Autoencoder, "features", len)
    figures_of(trained.directory, 1, {"evaluate.images": 16})
    assert max(encoded) == 16


def test_the_process_ends_with_whoever_asked(trained: Run) -> None:
    task = json.dumps({"run": str(trained.directory), "repeats": 10**6, "options": {}})
    program = [sys.executable, "-m", "outfitrec.benchmark.efficiency"]
    ended = subprocess.run(program, input=f"{task}\n", capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")


def test_time_is_taken_when_the_device_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: said.append(f"wait {device}"))

    def look() -> float:
        said.append("look")
        return float(len(said))

    monkeypatch.setattr(time, "perf_counter", look)
    seconds, found = efficiency._seconds(lambda: said.append("work"), torch.device("cuda:0"))
    assert said == ["wait cuda:0", "look", "work", "wait cuda:0", "look"]
    assert (seconds, found) == (3.0, None)


# How memory is read.


def test_the_gauge_of_linux_tells_the_peak_since_it_was_reset() -> None:
    level = gauge(CPU)
    if not isinstance(level, LinuxGauge):
        pytest.skip("no Linux")
    large = torch.ones(50_000_000)
    del large
    level.reset()
    before = level.now()
    assert level.peak() - before < 20e6
    small = torch.ones(20_000_000)
    del small
    assert 70e6 < level.peak() - before < 120e6
    assert level.now() - before < 20e6


def test_what_was_freed_is_no_memory_at_hand() -> None:
    level = gauge(CPU)
    if not isinstance(level, LinuxGauge):
        pytest.skip("no Linux")
    before = level.now()
    # Pieces so small that the allocator keeps them.
    pieces = [torch.ones(25_000) for _ in range(1000)]
    assert level.now() - before > 90e6
    del pieces
    assert level.now() - before < 20e6


def test_elsewhere_the_peak_of_the_process_is_told() -> None:
    level = PeakGauge()
    before = level.now()
    filled = torch.ones(20_000_000 + before // 4)
    assert level.peak() >= filled.nbytes
    assert level.peak() >= before


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device is here")
def test_the_gauge_of_cuda_tells_tensors() -> None:
    level = gauge(torch.device("cuda"))
    # Nothing is counted before the device is in use.
    kept = torch.ones(1, device="cuda")
    before = level.now()
    level.reset()
    large = torch.ones(1_000_000, device="cuda")
    del large
    assert 4e6 <= level.peak() - before < 8e6
    assert level.now() == before >= kept.nbytes
