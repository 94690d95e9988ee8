"""The methods of pairs as naive loops over plain numbers, outfits to try them on, and what is true of each method."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Generator, Tensor, nn

from outfitrec_baselines.sce_net.aggregator import SCENet
from outfitrec_baselines.type_aware.aggregator import TypeAware

Vector = Sequence[float]
State = Mapping[str, Any]  # parameters as nested lists
Outfit = list[tuple[int, Vector]]  # category and embedding of each item, in the order of the slots
Aggregator = TypeAware | SCENet

seeds = st.integers(0, 2**32 - 1)
# Categories by slot, at most one of each; -1 where a slot is empty.
outfits = st.lists(
    st.sampled_from([(0, 1, 2, -1), (0, 1, -1, -1), (0, 2, -1, -1), (1, 2, -1, -1)]).flatmap(st.permutations),
    min_size=1,
    max_size=4,
)


def unit(vector: Vector) -> list[float]:
    length = math.sqrt(sum(one * one for one in vector)) + 1e-10
    return [one / length for one in vector]


def distance(one: Vector, other: Vector) -> float:
    return math.sqrt(sum((a - b + 1e-6) ** 2 for a, b in zip(one, other, strict=True)))


def masked(item: Vector, mask: Vector, relu: bool = True) -> list[float]:
    return [a * (max(b, 0.0) if relu else b) for a, b in zip(item, mask, strict=True)]


def linear(item: Vector, weight: Sequence[Vector], bias: Vector) -> list[float]:
    return [sum(a * b for a, b in zip(row, item, strict=True)) + c for row, c in zip(weight, bias, strict=True)]


def ordered(outfit: Outfit) -> Outfit:
    """By category, then by slot."""
    return [outfit[slot] for slot in sorted(range(len(outfit)), key=lambda slot: (outfit[slot][0], slot))]


def type_aware(outfit: Outfit, masks: Mapping[tuple[int, int], Vector], normalize: bool = True) -> float:
    """Minus the mean distance, each pair under the mask of its ascending categories."""
    found = []
    for (a, one), (b, other) in combinations(ordered(outfit), 2):
        left, right = masked(one, masks[a, b]), masked(other, masks[a, b])
        found.append(distance(unit(left), unit(right)) if normalize else distance(left, right))
    return -sum(found) / len(found)


def weights(items: Sequence[Vector], state: State) -> list[float]:
    """The conditions' weights, from the items at length 1 side by side. ``state``: parameters of a `SCENet`."""
    seen = [number for item in items for number in unit(item)]
    hidden = [max(one, 0.0) for one in linear(seen, state["weighing.0.weight"], state["weighing.0.bias"])]
    logits = [math.exp(one) for one in linear(hidden, state["weighing.2.weight"], state["weighing.2.bias"])]
    return [one / sum(logits) for one in logits]


def under(one: Vector, other: Vector, omega: Vector, masks: Sequence[Vector]) -> float:
    """Distance of two items under conditions of these weights."""
    ends = []
    for item in (one, other):
        parts = [unit(masked(item, mask)) for mask in masks]
        ends.append([sum(w * part[k] for w, part in zip(omega, parts, strict=True)) for k in range(len(item))])
    return distance(*ends)


def sce_net(outfit: Outfit, state: State, branch: str) -> float:
    """Minus the mean distance under the weights of each pair, or under those of all items and zeros for a third."""
    items = [item for _, item in ordered(outfit)]
    found = []
    for one, other in combinations(items, 2):
        three = [*items, [0.0] * len(one)][:3]
        omega = weights([one, other] if branch == "pair" else three, state)
        found.append(under(one, other, omega, state["masks.weight"]))
    return -sum(found) / len(found)


def laid_out(rows: Sequence[Sequence[int]], dim: int, seed: int, width: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Random items in slots of these categories: items, mask and category, as an aggregator takes them."""
    category = torch.full((len(rows), max(width, *map(len, rows))), -1)
    for row, slots in enumerate(rows):
        category[row, : len(slots)] = torch.tensor(slots)
    mask = category >= 0
    items = torch.randn(*mask.shape, dim, dtype=torch.float64, generator=Generator().manual_seed(seed))
    return items * mask.unsqueeze(-1), mask, category


def listed(items: Tensor, mask: Tensor, category: Tensor) -> list[Outfit]:
    """The same as plain numbers."""
    return [
        [(int(category[row, slot]), items[row, slot].tolist()) for slot in mask[row].nonzero().flatten().tolist()]
        for row in range(len(mask))
    ]


def check_order_and_padding(made: Aggregator, rows: Sequence[Sequence[int]], seed: int) -> None:
    """Neither the order of items of different categories, nor empty slots, nor other outfits matter."""
    items, mask, category = laid_out(rows, made.dim, seed)
    state = made(items, mask, category)
    order = torch.randperm(mask.shape[1], generator=Generator().manual_seed(seed))
    torch.testing.assert_close(made(items[:, order], mask[:, order], category[:, order]), state, rtol=0, atol=1e-12)
    wide = torch.cat([items, torch.full((len(rows), 2, made.dim), 1e3, dtype=torch.float64)], dim=1)
    there = torch.cat([mask, torch.zeros(len(rows), 2, dtype=torch.bool)], dim=1)
    types = torch.cat([category, torch.full((len(rows), 2), 77)], dim=1)
    torch.testing.assert_close(made(wide, there, types), state, rtol=0, atol=1e-12)
    alone = [made(*(part[row : row + 1] for part in (items, mask, category))) for row in range(len(rows))]
    torch.testing.assert_close(torch.cat(alone), state, rtol=0, atol=1e-12)


def check_triplets(made: Aggregator, rows: Sequence[Sequence[int]], atol: float) -> None:
    """Triplets of these categories (anchor, far, close) are measured as outfits of two."""
    items, mask, category = laid_out(rows, made.dim, seed=5)
    anchor, far, close = items.unbind(1)
    # The kind of tensor is each method's own.
    relation: Any = made.relation(category[:, 0], category[:, 1])
    for slot, found in zip((1, 2), made.triplet(anchor, far, close, relation), strict=True):
        pair = [0, slot]
        torch.testing.assert_close(found, -made(items[:, pair], mask[:, pair], category[:, pair]), rtol=0, atol=atol)


def check_gradients(made: Aggregator, rows: Sequence[Sequence[int]]) -> None:
    """Those of items and parameters are those of finite differences."""
    items, mask, category = laid_out(rows, made.dim, seed=6)
    names = [name for name, _ in made.named_parameters()]

    def state(*given: Tensor) -> Tensor:
        parameters = dict(zip(names, given[1:], strict=True))
        found: Tensor = torch.func.functional_call(made, parameters, (given[0], mask, category))
        return found

    wanted = [items.requires_grad_(), *(one.detach().requires_grad_() for one in made.parameters())]
    assert torch.autograd.gradcheck(state, wanted)


def check_finite_gradients(made: Aggregator) -> None:
    """Also of outfits of equal items, and behind masks that are closed."""
    items = torch.ones(2, 3, made.dim, dtype=torch.float64, requires_grad=True)
    for masks in (1.0, -1.0):
        nn.init.constant_(made.get_parameter("masks.weight"), masks)
        made(items, torch.ones(2, 3, dtype=torch.bool), torch.tensor([[0, 1, 2], [0, 0, 1]])).sum().backward()
        for one in (items, *made.parameters()):
            assert one.grad is not None
            assert one.grad.isfinite().all()


def check_start(masks: Tensor) -> None:
    """Masks of many numbers start from the originals' distribution."""
    assert abs(masks.mean().item() - 0.9) < 0.03
    assert abs(masks.std().item() - 0.7) < 0.03
