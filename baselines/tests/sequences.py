"""Bi-LSTM by loops in numpy, one outfit, one place and one candidate at a time."""

from collections.abc import Sequence
from math import exp, log
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from outfitrec_baselines.bi_lstm.aggregator import BiLSTM
from outfitrec_baselines.bi_lstm.predictor import Predictor

Vector: TypeAlias = NDArray[np.float64]
# An item: its embedding and its category, None for the end.
Item: TypeAlias = tuple[Vector, int | None]


def sigmoid(x: Vector) -> Vector:
    value: Vector = 1 / (1 + np.exp(-x))
    return value


def predictions(predictor: Predictor, items: Sequence[Vector]) -> list[Vector]:
    """What the predictor says after each item."""
    p = {name: tensor.detach().numpy() for name, tensor in predictor.state_dict().items()}
    size = len(p["lstm.weight_hh_l0"]) // 4
    h, c = np.zeros(size), np.zeros(size)
    found = []
    for x in items:
        gates = p["lstm.weight_ih_l0"] @ x + p["lstm.bias_ih_l0"] + p["lstm.weight_hh_l0"] @ h + p["lstm.bias_hh_l0"]
        i, f, g, o = (gates[k * size : (k + 1) * size] for k in range(4))
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        found.append(p["output.weight"] @ h + p["output.bias"])
    return found


def product(model: BiLSTM, a: Vector, b: Vector) -> float:
    if model.similarity == "cosine":
        a, b = (v / np.linalg.norm(v) if v.any() else v for v in (a, b))
    return float(a @ b) / model.temperature


def errors(model: BiLSTM, predictor: Predictor, items: Sequence[Item], candidates: Sequence[Item]) -> list[float]:
    """Cross-entropy of each predicted item (or end) of a sequence."""
    said = predictions(predictor, [vector for vector, _ in items])
    end: Item = (np.zeros(model.dim), None)
    targets, known = list(items[1:]), list(candidates)
    if model.end_token:
        targets.append(end)
        known.append(end)
    found = []
    # The last prediction has no target where there is no end.
    for guess, (vector, category) in zip(said, targets, strict=False):
        total = sum(
            exp(product(model, guess, other))
            for other, kind in known
            if model.candidate_set == "all" or kind is None or category is None or kind == category
        )
        found.append(log(total) - product(model, guess, vector))
    return found


def outfit_errors(
    model: BiLSTM, outfit: Sequence[tuple[Any, int]], candidates: Sequence[tuple[Any, int]]
) -> tuple[list[float], list[float]]:
    """Cross-entropies forward and backward; items of an outfit as (embedding, category), in slot order."""
    order = model.order or model.categories
    rank = {model.categories.index(name): place for place, name in enumerate(order)}
    items: list[Item] = [(v.detach().numpy(), k) for v, k in sorted(outfit, key=lambda item: rank[item[1]])]
    shown: list[Item] = [(v.detach().numpy(), k) for v, k in candidates]
    return errors(model, model.ahead, items, shown), errors(model, model.back, items[::-1], shown)
