"""Outfits that are labelled compatible or not."""

from pathlib import Path
from typing import Any

import attrs
import pytest
import torch
from plugins.judged import Judged
from sklearn.metrics import roc_auc_score
from tiny import PLUGIN, tiny
from torch import Tensor

from outfitrec import Run
from outfitrec.benchmark.bench import bench
from outfitrec.benchmark.running import How
from outfitrec.core.data import Dataset, Labelled, Rows, Split
from outfitrec.core.engine import load_dataset, run
from outfitrec.core.errors import DataError, RunError
from outfitrec.core.evaluation import Evaluator
from outfitrec.core.files import digest
from outfitrec.core.outfits import Outfits
from outfitrec.core.recipe import load_recipe
from outfitrec.core.recommender import Recommender
from outfitrec.core.reevaluate import evaluate
from outfitrec.core.seeds import generator
from outfitrec.core.settings import Recipe
from outfitrec.core.splits import halve, resplit
from outfitrec.core.stores import owner, used_items
from outfitrec.core.yamlfile import dump
from outfitrec.plugins.metrics.auc import AUC
from outfitrec.plugins.negatives.random_mix import RandomMix
from outfitrec.plugins.negatives.stored import Stored

JUDGED = PLUGIN.with_name("judged.py")
LATER = ("compatibility", "hash")


def judged(**changes: Any) -> dict[str, Any]:
    recipe = tiny(plugins=[str(PLUGIN), str(JUDGED)], dataset={"name": "judged"})
    return {**recipe, **changes}


def evaluator(dataset: Dataset, split: Split) -> Evaluator:
    negatives = RandomMix(split=split, catalog=dataset.catalog, share="pair", count=5)
    return Evaluator(dataset, split, "test", negatives, [AUC()], seed=3, chunk=7, photos=8)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(judged(), out=tmp_path_factory.mktemp("runs"))


def rescored(found: Run, scores: Tensor, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Test figures where the score of an outfit is what is given for the sum of its items."""

    def score_rows(self: Recommender, table: Tensor, users: Tensor, outfits: Outfits, chunk: int = 4096) -> Tensor:
        assert users.tolist() == [0] * len(outfits)
        return scores[outfits.items.sum(dim=1) % len(scores)]

    monkeypatch.setattr(Recommender, "score_rows", score_rows)
    figures: dict[str, float] = evaluate(found)["test"]
    return figures


@pytest.mark.parametrize("levels", [2, 5, 1000])
def test_the_figure_is_scikit_learns_over_all_labelled_outfits_at_once(
    finished: Run, monkeypatch: pytest.MonkeyPatch, levels: int
) -> None:
    """Few levels are many ties."""
    scores = torch.randint(0, levels, (61,), generator=torch.Generator().manual_seed(levels)).float()
    labelled = Judged().load().splits["test"].compatibility
    assert labelled is not None
    own = [float(scores[sum(items) % 61]) for items in labelled.outfits.items.tolist()]
    found = rescored(finished, scores, monkeypatch)["compatibility_auc"]
    assert found == pytest.approx(roc_auc_score(labelled.label.numpy(), own), abs=1e-12)


def test_equal_scores_are_worth_one_half(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert rescored(finished, torch.ones(1), monkeypatch)["compatibility_auc"] == 0.5


def test_scores_of_labelled_outfits_must_be_finite(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = Judged().load()
    test = dataset.splits["test"]
    assert test.compatibility is not None
    assert test.questions is not None
    negatives = Stored(split=test, catalog=dataset.catalog).draw(test.positives, generator(0, "evaluation"))
    ranked = {*test.positives.outfits.items.sum(dim=1).tolist(), *negatives.outfits.items.sum(dim=1).tolist()}
    labelled = set(test.compatibility.outfits.items.sum(dim=1).tolist())
    scores = torch.zeros(300)
    scores[min(labelled - ranked)] = float("nan")
    with pytest.raises(RunError, match="not finite"):
        rescored(finished, scores, monkeypatch)


def test_labels_join_the_protocol_only_where_there_are_any() -> None:
    dataset = Judged().load()
    test = dataset.splits["test"]
    protocol = evaluator(dataset, test).protocol
    bare = evaluator(dataset, attrs.evolve(test, compatibility=None)).protocol
    assert set(protocol) - set(bare) == {"compatibility"}
    assert set(bare) == {"split", "negatives", "ties", "metrics", "seed", "positives", "rows", "hash"}
    for one in (protocol, bare):
        assert one["hash"] == digest({key: value for key, value in one.items() if key != "hash"})[:16]
    assert {key: value for key, value in protocol.items() if key not in LATER} == {
        key: value for key, value in bare.items() if key != "hash"
    }
    labelled = test.compatibility
    assert labelled is not None
    flipped = attrs.evolve(test, compatibility=attrs.evolve(labelled, label=~labelled.label))
    assert evaluator(dataset, flipped).protocol["hash"] != protocol["hash"]


def test_labelled_outfits_of_several_users_data_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the split test has labelled outfits, and the dataset 2 users"):
        run(judged(dataset={"name": "judged", "users": 2}), out=tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]
    run(judged(dataset={"name": "judged", "users": 2, "labelled": False}), out=tmp_path)


def test_labelled_outfits_are_used_items() -> None:
    dataset = Judged(labelled=False).load()
    rare = int((~torch.isin(torch.arange(90), used_items(dataset))).nonzero()[0])
    labelled = Labelled(dataset.catalog.outfits(torch.tensor([[rare, 1, -1], [1, 2, 3]])), torch.tensor([True, False]))
    test = attrs.evolve(dataset.splits["test"], compatibility=labelled)
    more = attrs.evolve(dataset, splits={**dataset.splits, "test": test})
    assert rare in used_items(more).tolist()
    assert rare in evaluator(more, test).used.tolist()
    assert -1 not in evaluator(more, test).used.tolist()
    assert owner(more, rare) == "a question or a labelled outfit"


def test_labels_stay_behind_where_a_split_is_divided() -> None:
    whole = Judged().load()
    labelled = whole.splits["test"].compatibility
    assert labelled is not None
    outfits = whole.catalog.outfits(torch.arange(90).view(30, 3))
    rows = Rows(torch.zeros(30, dtype=torch.long), outfits)
    splits = {
        name: Split(rows[10 * k : 10 * k + 10], compatibility=labelled)
        for k, name in enumerate(("train", "valid", "test"))
    }
    assert [half.compatibility for half in halve(splits["valid"], 0)] == [None, None]
    made, _ = resplit(splits, (9, 2, 2), 0)
    assert [split.compatibility for split in made.values()] == [None] * 3


def test_a_run_has_the_figure_beside_fill_in_the_blank(finished: Run) -> None:
    result = finished.result
    assert list(result.test) == ["auc", "ndcg", "fitb", "compatibility_auc"]
    assert set(result.valid) == {"auc", "ndcg"}
    assert result.per_user["user"] == [0]
    assert result.per_user["compatibility_auc"] == [result.test["compatibility_auc"]]
    assert "compatibility" in result.protocol
    labelled = load_dataset(load_recipe(finished.directory / "recipe.yaml")).splits["test"].compatibility
    assert labelled is not None
    assert result.test["compatibility_auc"] == pytest.approx(_by_hand(finished, labelled), abs=1e-6)
    again = evaluate(finished, {"evaluate.metrics": ["hit_rate"]})
    assert again["test"]["compatibility_auc"] == result.test["compatibility_auc"]


def _by_hand(found: Run, labelled: Labelled) -> float:
    model = found.recommender
    catalog = Judged().load().catalog
    assert catalog.features is not None
    scores = []
    with torch.no_grad():
        table = model.embed(catalog.features, catalog.category)
        for row in range(len(labelled.outfits)):
            one = labelled.outfits[row : row + 1]
            scores.append(float(model.preference(torch.tensor([0]), model.state(table, one.items, one.category))))
    return float(roc_auc_score(labelled.label.numpy(), scores))


def test_a_suite_shows_the_figure(tmp_path: Path) -> None:
    train = {"epochs": 1, "batch": 48, "optimizer": {"name": "sgd", "lr": 0.05}, "accelerator": "cpu"}
    for name in ("one", "other"):
        recipe = judged(
            name=name, train=train, objectives=[{"name": "ranking", "loss": {"one": "bpr"}.get(name, "npair")}]
        )
        (tmp_path / f"{name}.yaml").write_text(dump(recipe))
    suite = {
        "name": "labels",
        "seeds": [0, 1],
        "reference": "one",
        "figures": ["fitb", "compatibility_auc"],
        "rows": {name: {"recipe": f"{name}.yaml"} for name in ("one", "other")},
    }
    (tmp_path / "suite.yaml").write_text(dump(suite))
    report = bench(tmp_path / "suite.yaml", how=How(out=tmp_path / "runs"), report=tmp_path / "report")
    [table] = report.tables
    assert [figure.title for figure in table.figures] == ["fill in the blank", "compatibility AUC"]
    for entry in report.entries:
        assert entry.run is not None
        assert entry.values["compatibility_auc"] == (entry.run.result.test["compatibility_auc"],)
    assert "compatibility AUC" in (tmp_path / "report" / "report.html").read_text()


def test_labels_without_questions_are_enough(tmp_path: Path) -> None:
    result = run(judged(dataset={"name": "judged", "questions": False}), out=tmp_path).result
    assert set(result.test) == {"auc", "ndcg", "compatibility_auc"}


def test_labelled_outfits_of_too_few_items_stop_a_run_before_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poor(recipe: Recipe) -> Dataset:
        dataset = load_dataset(recipe)
        labelled = dataset.splits["test"].compatibility
        assert labelled is not None
        items = labelled.outfits.items.clone()
        items[0, 1:] = -1
        short = attrs.evolve(labelled, outfits=dataset.catalog.outfits(items))
        test = attrs.evolve(dataset.splits["test"], compatibility=short)
        return attrs.evolve(dataset, splits={**dataset.splits, "test": test})

    monkeypatch.setattr("outfitrec.core.engine.load_dataset", poor)
    recipe = judged(plugins=[str(PLUGIN), str(JUDGED), str(PLUGIN.with_name("askers.py"))])
    model = {**recipe["model"], "aggregator": "apart"}
    with pytest.raises(
        DataError, match="dataset, test, labelled outfits: Apart needs outfits of 2 items or more: 1 of"
    ):
        run({**recipe, "model": model}, out=tmp_path)
