"""How well false negatives are found, against scikit-learn and naive counts."""

import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
import torch
from commands import document, invoke
from plugins.tiny import Tiny
from sklearn.metrics import roc_auc_score
from tiny import student
from torch import Generator, Tensor, nn

from outfitrec import Run, evaluate, run
from outfitrec.core import reevaluate
from outfitrec.core.data import Dataset, Rows
from outfitrec.core.detection import detect
from outfitrec.core.engine import load_dataset
from outfitrec.core.outfits import Outfits
from outfitrec.core.recommender import Recommender
from outfitrec.core.seeds import generator
from outfitrec.core.settings import Recipe
from outfitrec.core.teacher import Teacher
from outfitrec.plugins.aggregators.mean import Mean
from outfitrec.plugins.distillers.fnd import FND
from outfitrec.plugins.negatives.random_mix import RandomMix

Judge = Callable[[Tensor, Outfits], Tensor]


class Judged(Recommender):
    """A recommender whose scores are given."""

    def __init__(self, judge: Judge) -> None:
        nn.Module.__init__(self)
        self.aggregator = Mean()
        self.judge = judge

    def score_rows(self, table: Tensor, users: Tensor, outfits: Outfits, chunk: int = 4096) -> Tensor:
        return self.judge(users, outfits)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return Tiny(users=30).load()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(student(), out=tmp_path_factory.mktemp("runs"))


def teacher(judge: Judge, dataset: Dataset) -> Teacher:
    return Teacher(Judged(judge), torch.zeros(1, 1), dataset.splits["train"].positives, dataset.users, 64)


def negatives(dataset: Dataset, seed: int) -> Rows:
    """Ten random mixes for each training pair."""
    train = dataset.splits["train"]
    mix = RandomMix(share="pair", count=10, split=train, catalog=dataset.catalog)
    users = train.positives.users.repeat_interleave(10)
    return Rows(users, mix.draw(train.positives, generator(seed, "false negatives")).outfits)


def naive(judge: Judge, dataset: Dataset, alpha: float, seed: int) -> dict[str, float]:
    """The same figures, row by row and user by user."""
    positives, wrong = dataset.splits["train"].positives, negatives(dataset, seed)
    known = judge(positives.users, positives.outfits).tolist()
    scores, owners = judge(wrong.users, wrong.outfits).tolist(), wrong.users.tolist()
    assert dataset.truth is not None
    liked = [bool(dataset.truth.liked(wrong.users[k : k + 1], wrong.outfits[k : k + 1])) for k in range(len(owners))]
    aucs, weights = [], [math.nan] * len(owners)
    for user in range(dataset.users):
        own = [known[k] for k, owner in enumerate(positives.users.tolist()) if owner == user]
        rows = [k for k, owner in enumerate(owners) if owner == user]
        # In 32 bits, as the scores are, so that a score that equals the mean is no find.
        mean = float(torch.tensor(sum(own) / len(own), dtype=torch.float32))
        for k in rows:
            weights[k] = alpha * (mean - scores[k])
        if 0 < sum(liked[k] for k in rows) < len(rows):
            aucs.append(float(roc_auc_score([liked[k] for k in rows], [-weights[k] for k in rows])))
    found = [weight < 0 for weight in weights]
    hits = sum(a and b for a, b in zip(found, liked, strict=True))
    return {
        "auc": sum(aucs) / len(aucs),
        "precision": hits / sum(found),
        "recall": hits / sum(liked),
        "liked": sum(liked) / len(liked),
        "negatives": len(liked),
    }


def worth(dataset: Dataset, noise: float, digits: int) -> Judge:
    """How much of what they like users see in an outfit, with some noise, and rounded so that scores are equal."""
    features: Any = dataset.catalog.features
    tastes: Any = dataset.truth

    def judge(users: Tensor, outfits: Outfits) -> Tensor:
        draws = torch.randn(len(users), generator=Generator().manual_seed(0))
        right = (features[outfits.items].mean(dim=1) * tastes.tastes[users]).sum(dim=1)
        scores: Tensor = (right + noise * draws).round(decimals=digits)
        return scores

    return judge


@pytest.mark.parametrize(("noise", "digits", "alpha", "seed"), [(0.5, 1, 1.25, 0), (2.0, 0, 4.0, 7)])
def test_figures_are_those_of_scikit_learn_and_naive_counts(
    dataset: Dataset, noise: float, digits: int, alpha: float, seed: int
) -> None:
    judge = worth(dataset, noise, digits)
    found = detect(teacher(judge, dataset), FND(alpha=alpha), dataset, seed=seed, chunk=50)
    assert found == pytest.approx(naive(judge, dataset, alpha, seed), abs=1e-6)
    assert 0.5 < found["auc"] < 1


def test_a_teacher_that_knows_the_truth_finds_all(dataset: Dataset) -> None:
    posted = {
        (user, *items)
        for user, items in zip(
            dataset.splits["train"].positives.users.tolist(),
            dataset.splits["train"].positives.outfits.items.tolist(),
            strict=True,
        )
    }

    def judge(users: Tensor, outfits: Outfits) -> Tensor:
        assert dataset.truth is not None
        liked = dataset.truth.liked(users, outfits).float()
        rows = zip(users.tolist(), outfits.items.tolist(), strict=True)
        return liked * 2 - torch.tensor([float((user, *items) in posted) for user, items in rows])

    found = detect(teacher(judge, dataset), FND(), dataset, seed=0, chunk=50)
    assert (found["auc"], found["precision"], found["recall"]) == (1, 1, 1)
    assert found["negatives"] == 30 * 24 * 10


def test_a_teacher_that_guesses_finds_nothing_more_than_chance(dataset: Dataset) -> None:
    def judge(users: Tensor, outfits: Outfits) -> Tensor:
        return torch.rand(len(users), generator=Generator().manual_seed(len(users)))

    found = detect(teacher(judge, dataset), FND(), dataset, seed=0, chunk=50)
    assert found["auc"] == pytest.approx(0.5, abs=0.05)
    assert found["recall"] == pytest.approx(0.5, abs=0.1)
    assert found["precision"] == pytest.approx(found["liked"], abs=0.01)


def test_equal_scores_count_one_half_and_are_no_find(dataset: Dataset) -> None:
    def judge(users: Tensor, outfits: Outfits) -> Tensor:
        return torch.full((len(users),), 0.25)

    found = detect(teacher(judge, dataset), FND(), dataset, seed=0, chunk=50)
    assert found["auc"] == 0.5
    assert found["recall"] == 0
    assert math.isnan(found["precision"])


def test_data_without_truth_are_refused(dataset: Dataset) -> None:
    with pytest.raises(ValueError, match="ground truth"):
        detect(teacher(worth(dataset, 0, 1), dataset), FND(), attrs.evolve(dataset, truth=None), seed=0, chunk=50)


def test_evaluate_says_how_well_the_runs_teacher_finds_them(finished: Run) -> None:
    assert finished.teacher is not None
    dataset, model = Tiny().load(), finished.teacher.recommender
    features: Any = dataset.catalog.features
    with torch.no_grad():
        table = model.embed(features, dataset.catalog.category)

    @torch.no_grad()
    def judge(users: Tensor, outfits: Outfits) -> Tensor:
        return model.preference(users, model.state(table, outfits.items, outfits.category))

    found = evaluate(finished)["false_negatives"]
    assert found == pytest.approx(naive(judge, dataset, alpha=2.0, seed=0), abs=1e-5)
    assert evaluate(finished, ["evaluate.seed=3", "evaluate.chunk=11"])["false_negatives"] == pytest.approx(
        naive(judge, dataset, alpha=2.0, seed=3), abs=1e-5
    )


def test_people_see_the_figures(finished: Run) -> None:
    found = document("evaluate", finished.directory)["false_negatives"]
    shown = invoke("evaluate", finished.directory).stdout
    for key, text in (("auc", "AUC of -d"), ("precision", "precision"), ("recall", "recall"), ("liked", "share of")):
        [line] = [line for line in shown.splitlines() if line.startswith(text)]
        assert line.endswith(f"{found[key]:.4f}")
    assert "1,440 random negatives" in shown


def test_a_distiller_of_a_plugin_file_that_finds_nothing_has_no_precision(finished: Run, tmp_path: Path) -> None:
    never = [{"name": "ranking", "distiller": "never"}]
    assert finished.teacher is not None
    other = run(student(teacher=str(finished.teacher.directory), objectives=never), out=tmp_path)
    found = document("evaluate", other.directory)["false_negatives"]
    assert (found["precision"], found["recall"]) == (None, 0)
    assert "precision of d < 0               –" in invoke("evaluate", other.directory).stdout


def test_a_teacher_that_is_gone_is_a_warning(finished: Run, tmp_path: Path) -> None:
    shutil.copytree(finished.directory, tmp_path / "alone" / finished.directory.name)
    alone = Run(tmp_path / "alone" / finished.directory.name)
    found = evaluate(alone)
    assert "false_negatives" not in found
    [warning] = found["warnings"]
    assert "how well false negatives are found cannot be said" in warning
    assert "no run in" in warning
    assert found["test"] == evaluate(finished)["test"]
    assert warning in invoke("evaluate", alone.directory).stderr


def test_without_truth_or_without_a_distiller_nothing_is_said(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert finished.teacher is not None
    assert "false_negatives" not in evaluate(finished.teacher)

    def untold(recipe: Recipe) -> Dataset:
        return attrs.evolve(load_dataset(recipe), truth=None)

    monkeypatch.setattr(reevaluate, "load_dataset", untold)
    found = evaluate(finished)
    assert "false_negatives" not in found
    assert not found["warnings"]
