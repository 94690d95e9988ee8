import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import tiny
from torch import Generator

from outfitrec import Batch, Outfits, RecipeError, Recommender, Step, create, run
from outfitrec_baselines.bi_lstm.aggregator import Predicted
from outfitrec_baselines.bi_lstm.objective import Sequence

BI_LSTM: dict[str, Any] = {
    "dim": 16,
    "encoder": {"name": "features", "size": 12, "head": {"name": "item_encoder", "dropout": 0.0}},
    "aggregator": {"name": "bi_lstm", "dropout": 0.0, "temperature": 0.2},
    "preference": "compatibility",
}
TRAIN = {"epochs": 6, "batch": 16, "optimizer": {"name": "adam", "lr": 0.01}, "accelerator": "cpu"}


def recipe(**changes: Any) -> dict[str, Any]:
    return tiny(**{"name": "bi-lstm", "model": BI_LSTM, "objectives": ["sequence"], "train": TRAIN, **changes})


def step(state: Any) -> Step:
    """A step of which only the states are there."""
    none = torch.zeros(0, dtype=torch.long)
    outfits = Outfits(torch.zeros(2, 3, dtype=torch.long), torch.zeros(2, 3, dtype=torch.long))
    encoder = create("encoder", "features", size=4, head=create("head", "identity", dim=4))
    model = Recommender(encoder, create("aggregator", "mean"), create("preference", "compatibility"))
    return Step(
        Batch(none, outfits, none),
        ids=none,
        category=none,
        features=torch.zeros(0, 4),
        items=torch.zeros(0, 4),
        states={"positive": state},
        recommender=model,
        teacher=None,
        epoch=0,
        generator=Generator(),
    )


def test_the_objective_is_the_mean_over_items_of_both_directions() -> None:
    ahead, back = [[1.0, 2.0, 3.0], [4.0]], [[0.5, 0.0, 1.5], [6.0]]
    sums = [torch.tensor([sum(one) for one in side]) for side in (ahead, back)]
    here = step(Predicted(torch.zeros(2), sums[0], sums[1], torch.tensor([3, 1])))
    objective = create("objective", "sequence", label="lstm")
    assert objective(here).item() == pytest.approx(10 / 4 + 8 / 4)
    assert {name: value.item() for name, value in here.logged.items()} == {"lstm.forward": 2.5, "lstm.backward": 2.0}
    assert objective.extra(here.batch, Generator()) is None


def test_the_objective_needs_states_that_tell_how_well_items_are_predicted() -> None:
    with pytest.raises(RecipeError, match="'sequence' reads how well each item is predicted") as caught:
        Sequence()(step(torch.zeros(2, 4)))
    assert caught.value.problems[0].hint == "choose the aggregator bi_lstm"


def test_a_recipe_of_another_aggregator_is_refused(tmp_path: Path) -> None:
    model = {**BI_LSTM, "aggregator": "mean"}
    with pytest.raises(RecipeError, match=r"model\.aggregator: objective 'sequence' needs bi_lstm, and it is 'mean'"):
        run(recipe(model=model), out=tmp_path)


def test_an_order_of_other_categories_than_the_datasets_is_refused(tmp_path: Path) -> None:
    model = {**BI_LSTM, "aggregator": {"name": "bi_lstm", "order": ["top", "bottom", "hat"]}}
    with pytest.raises(RecipeError, match="unknown: 'hat'; missing: 'shoe'"):
        run(recipe(model=model), out=tmp_path)


@pytest.mark.parametrize(
    "aggregator", [{}, {"similarity": "cosine", "candidate_set": "category", "temperature": 0.1, "end_token": False}]
)
def test_training_by_a_recipe_lowers_the_loss_and_learns_what_goes_together(
    tmp_path: Path, aggregator: dict[str, Any]
) -> None:
    model = {**BI_LSTM, "aggregator": {**BI_LSTM["aggregator"], **aggregator}}
    plugins = [str(Path(__file__).parent / "styles.py")]
    done = run(recipe(model=model, plugins=plugins, dataset="styles"), out=tmp_path)
    lines = [json.loads(line) for line in (done.directory / "metrics.jsonl").read_text().splitlines()]
    losses = [line["train"]["sequence"] for line in lines]
    assert losses[-1] < 0.9 * losses[0]
    for line in lines:
        figures = line["train"]
        assert figures["sequence"] == pytest.approx(figures["sequence.forward"] + figures["sequence.backward"])
    # A ninth of the negatives, too, are of one style: 0.94 is the most.
    assert done.result.test["auc"] > 0.8
    assert done.result.warnings == ()
