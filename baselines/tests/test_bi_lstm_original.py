from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from outfitrec import DataError, Recommender
from outfitrec_baselines.bi_lstm import from_original

Array = NDArray[np.float64]

FEATURES, DIM, HIDDEN, ITEMS = 9, 6, 4, 13
FORWARD, BACKWARD = "lstm/FW/BasicLSTMCell/Linear", "lstm/BW/BasicLSTMCell/Linear"
HEAD = "rnn_image_embedding/weights"


def variables(dim: int = DIM, hidden: int = HIDDEN) -> dict[str, Any]:
    """A checkpoint of random numbers."""
    draw = np.random.default_rng(8).standard_normal
    return {
        HEAD: draw((FEATURES, dim)),
        f"{FORWARD}/Matrix": draw((dim + hidden, 4 * hidden)),
        f"{FORWARD}/Bias": draw(4 * hidden),
        f"{BACKWARD}/Matrix": draw((dim + hidden, 4 * hidden)),
        f"{BACKWARD}/Bias": draw(4 * hidden),
        "f_logits/weights": draw((hidden, dim)),
        "f_logits/biases": draw(dim),
        "b_logits/weights": draw((hidden, dim)),
        "b_logits/biases": draw(dim),
    }


def sigmoid(x: Array) -> Array:
    value: Array = 1 / (1 + np.exp(-x))
    return value


def run(names: dict[str, Any], cell: str, output: str, sequence: Array) -> Array:
    """Predictions of the cell whose four gates, input, new, forget and output, are one product of [x, h]."""
    hidden = len(names[f"{cell}/Bias"]) // 4
    c, h = np.zeros(hidden), np.zeros(hidden)
    found = []
    for x in sequence:
        i, j, f, o = np.split(np.concatenate([x, h]) @ names[f"{cell}/Matrix"] + names[f"{cell}/Bias"], 4)
        c = c * sigmoid(f + 1.0) + sigmoid(i) * np.tanh(j)
        h = np.tanh(c) * sigmoid(o)
        found.append(h @ names[f"{output}/weights"] + names[f"{output}/biases"])
    return np.stack(found)


def score(names: dict[str, Any], features: Array, outfit: list[int]) -> float:
    """As the original ranks: all items and one vector of zeros, the end, are candidates."""
    items = features @ names[HEAD] if HEAD in names else features
    known = np.concatenate([items, np.zeros((1, items.shape[1]))])

    def error(cell: str, output: str, rows: list[int]) -> float:
        logits = run(names, cell, output, known[rows]) @ known.T
        target = [*rows[1:], len(items)]
        chosen = logits[np.arange(len(rows)), target]
        return float(np.mean(np.log(np.exp(logits).sum(axis=1)) - chosen))

    return -error(FORWARD, "f_logits", outfit) - error(BACKWARD, "b_logits", outfit[::-1])


def scored(model: Recommender, features: Array, outfits: list[list[int]]) -> list[float]:
    width = max(map(len, outfits)) + 1
    index = torch.tensor([[*outfit, *[-1] * (width - len(outfit))] for outfit in outfits])
    category = torch.where(index >= 0, 0, -1)
    kind = torch.zeros(len(features), dtype=torch.long)
    with torch.inference_mode():
        table = model.embed(torch.from_numpy(features), kind)
        model.candidates(table, kind)
        found: list[float] = model.preference(
            torch.zeros(len(outfits), dtype=torch.long), model.state(table, index, category)
        ).tolist()
    return found


OUTFITS = [[0, 1, 2], [5, 3], [12, 1, 7, 7, 2, 9, 4, 11], [6], [2, 1, 0]]


@pytest.mark.parametrize(("dim", "hidden"), [(DIM, HIDDEN), (3, 8), (5, 5)])
@pytest.mark.parametrize("head", [True, False])
def test_scores_are_those_of_the_originals_equations(dim: int, hidden: int, head: bool) -> None:
    names = variables(dim, hidden)
    if not head:
        del names[HEAD]
    features = np.random.default_rng(1).standard_normal((ITEMS, FEATURES if head else dim))
    expected = [score(names, features, outfit) for outfit in OUTFITS]
    model = from_original(names)
    assert not model.training
    found = scored(model, features, OUTFITS)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert len({round(value, 6) for value in found}) == len(OUTFITS)


def test_tensors_of_32_bits_give_a_recommender_of_32_bits() -> None:
    names = {name: torch.from_numpy(array).float() for name, array in variables().items()}
    model = from_original(names)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    kept = {name: tensor.clone() for name, tensor in names.items()}
    assert all(torch.equal(tensor, kept[name]) for name, tensor in names.items())


def test_later_names_of_the_same_variables_are_known() -> None:
    renamed = {
        name.replace("BasicLSTMCell/Linear/Matrix", "basic_lstm_cell/kernel").replace(
            "BasicLSTMCell/Linear/Bias", "basic_lstm_cell/bias"
        )
        + ":0": array
        for name, array in variables().items()
    }
    assert not renamed.keys() & variables().keys()
    found, expected = from_original(renamed).state_dict(), from_original(variables()).state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in found.items())


def test_what_else_a_checkpoint_holds_is_left_aside() -> None:
    others: dict[str, Any] = {
        "InceptionV3/Conv2d_1a_3x3/weights": np.zeros((3, 3, 3, 32)),
        "image_embedding/weights": np.zeros((FEATURES, DIM)),
        "seq_embedding/map": np.zeros((20, DIM)),
        "OptimizeLoss/learning_rate": np.zeros(()),
        "global_step": np.array(34865),
    }
    found, expected = (from_original({**variables(), **more}).state_dict() for more in (others, {}))
    assert found.keys() == expected.keys()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in found.items())


def test_categories_give_the_order_of_the_sequence() -> None:
    names = variables()
    features = np.random.default_rng(1).standard_normal((ITEMS, FEATURES))
    model = from_original(names, categories=("top", "bottom", "shoe"), order=("shoe", "top", "bottom"))
    kind = torch.arange(ITEMS) % 3
    outfit = torch.tensor([[0, 1, 2]])
    table = model.embed(torch.from_numpy(features), kind)
    model.candidates(table, kind)
    found = model.preference(torch.tensor([0]), model.state(table, outfit, kind[outfit])).item()
    assert found == pytest.approx(score(names, features, [2, 0, 1]), abs=1e-9)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"f_logits/scale": np.zeros(1)}, "f_logits/scale is unknown"),
        ({"b_logits/weights": np.zeros((HIDDEN, DIM + 1))}, "b_logits/weights is of shape [4, 7], not [4, 6]"),
        ({f"{FORWARD}/Matrix": np.zeros((DIM, 4 * HIDDEN))}, f"{FORWARD}/Matrix is of shape [6, 16], not [10, 16]"),
        ({HEAD: np.zeros(12)}, f"{HEAD} is of shape [12], not [2, 6]"),
        ({"f_logits/biases": np.zeros(())}, "f_logits/weights is of shape [4, 6], not [4, 1]"),
    ],
)
def test_other_variables_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match="these are not the variables of a Bi-LSTM") as caught:
        from_original({**variables(), **changes})
    assert message in str(caught.value)


def test_all_that_is_unknown_or_missing_is_said_at_once() -> None:
    names = {**variables(), "extra": np.zeros(1)}
    del names["f_logits/weights"], names[f"{BACKWARD}/Bias"]
    with pytest.raises(DataError) as caught:
        from_original(names)
    text = str(caught.value)
    for part in ("extra is unknown", "f_logits/weights is missing", f"{BACKWARD}/Bias is missing"):
        assert part in text
