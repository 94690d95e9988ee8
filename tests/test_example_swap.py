from collections import Counter
from collections.abc import Sequence
from itertools import permutations, product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from outfitrec_swap.swap import Swap
from padded import Outfit, padded
from scipy.stats import chisquare
from torch import Generator, Tensor

from outfitrec.core.data import Catalog
from outfitrec.core.errors import RecipeError
from outfitrec.core.outfits import Outfits
from outfitrec.core.step import Batch
from outfitrec.plugins.augmenters.erase import Erase
from outfitrec.plugins.objectives.contrastive import Contrastive
from outfitrec.protocols import Augmenter

# So few items that outfits often have the same ones, and several of a category. Shoes are 2, 5, 8 and 11.
ITEMS = 12
NAMES = ("top", "bottom", "shoe")
CATALOG = Catalog([f"item {k}" for k in range(ITEMS)], torch.arange(ITEMS) % 3, NAMES)
SHOE = Swap(categories=NAMES)
seeds = st.integers(0, 2**32 - 1)
View = tuple[tuple[int, ...], ...]


few = st.lists(padded(ITEMS), min_size=1, max_size=4)
many = st.lists(padded(ITEMS), min_size=1, max_size=40)


def batch(outfits: Sequence[Outfit]) -> Outfits:
    return CATALOG.outfits(torch.tensor(outfits))


def some_free(outfits: Outfits, seed: int) -> Tensor:
    """Slots at random, empty ones among them."""
    return torch.rand(outfits.items.shape, generator=Generator().manual_seed(seed)) < 0.8


def view_of(swap: Swap, outfits: Outfits, free: Tensor, seed: int) -> list[Outfit]:
    view, _ = swap(outfits, free, Generator().manual_seed(seed))
    found: list[Outfit] = view.items.tolist()
    return found


def outcomes(outfits: Sequence[Outfit], free: Tensor, category: str) -> Counter[View]:
    """Views by the number of ways that lead to them: of the slots to choose, and of the orders to meet in."""
    slots = {
        row: [
            slot
            for slot, item in enumerate(outfit)
            if item >= 0 and bool(free[row, slot]) and NAMES[item % 3] == category
        ]
        for row, outfit in enumerate(outfits)
    }
    slots = {row: some for row, some in slots.items() if some}
    found: Counter[View] = Counter()
    for chosen in product(*slots.values()):
        slot = dict(zip(slots, chosen, strict=True))
        for order in permutations(slots):
            view = [list(outfit) for outfit in outfits]
            for one, other in zip(order[::2], order[1::2], strict=False):
                mine, its = outfits[one][slot[one]], outfits[other][slot[other]]
                if its not in outfits[one] and mine not in outfits[other]:
                    view[one][slot[one]], view[other][slot[other]] = its, mine
            found[tuple(map(tuple, view))] += 1
    return found


@given(few, seeds, st.sampled_from(NAMES))
def test_a_view_is_one_that_a_loop_over_all_choices_finds(outfits: list[Outfit], seed: int, category: str) -> None:
    before = batch(outfits)
    free = some_free(before, seed)
    found = view_of(Swap(category=category, categories=NAMES), before, free, seed)
    assert tuple(map(tuple, found)) in outcomes(outfits, free, category)


@pytest.mark.parametrize(
    "outfits",
    [
        # One of the two shoes of the first is also the second's; the third has a shoe of its own.
        [[0, 2, 5, -1, -1], [5, 1, -1, -1, -1], [-1, 3, 8, -1, -1]],
        # Four that meet in two pairs, two of them with the same shoe.
        [[2, -1, -1, -1, -1], [5, 0, -1, -1, -1], [8, 1, -1, -1, -1], [8, 3, -1, -1, -1]],
    ],
)
def test_choices_and_orders_are_all_as_likely(outfits: list[Outfit]) -> None:
    before = batch(outfits)
    ways = outcomes(outfits, before.mask, "shoe")
    assert len(ways) > 2
    draws, number = Generator().manual_seed(0), 3000
    seen = Counter(tuple(map(tuple, SHOE(before, before.mask, draws)[0].items.tolist())) for _ in range(number))
    assert set(seen) == set(ways)
    expected = [number * ways[view] / ways.total() for view in ways]
    assert chisquare([seen[view] for view in ways], expected).pvalue > 1e-3


@given(many, seeds, st.sampled_from(NAMES))
def test_items_of_the_batch_stay_and_only_free_ones_of_the_category_move(
    outfits: list[Outfit], seed: int, category: str
) -> None:
    before = batch(outfits)
    free = some_free(before, seed)
    given_free = free.clone()
    swap = Swap(category=category, categories=NAMES)
    view, changed = swap(before, free, Generator().manual_seed(seed))
    assert Counter(view.items.flatten().tolist()) == Counter(before.items.flatten().tolist())
    assert torch.equal(view.items != before.items, changed)
    assert not (changed & ~(free & (before.category == NAMES.index(category)))).any()
    assert int(changed.sum(dim=1).max()) <= 1
    assert int(changed.sum()) % 2 == 0
    assert torch.equal(view.category, CATALOG.outfits(view.items).category)
    for items in view.items.tolist():
        assert max(Counter(item for item in items if item >= 0).values()) == 1
    assert torch.equal(before.items, torch.tensor(outfits))
    assert torch.equal(before.category, CATALOG.outfits(before.items).category)
    assert torch.equal(free, given_free)


@given(st.integers(1, 20), seeds)
def test_of_different_shoes_all_change_hands_but_one_of_an_odd_number(count: int, seed: int) -> None:
    items = torch.stack([torch.zeros(count, dtype=torch.long), 1 + torch.arange(count)], dim=1)
    outfits = Outfits(items, torch.tensor([[0, 2]]).expand(count, 2))
    _, changed = SHOE(outfits, outfits.mask, Generator().manual_seed(seed))
    assert int(changed[:, 1].sum()) == count - count % 2
    assert not changed[:, 0].any()


@given(many, seeds)
def test_a_second_view_moves_other_items(outfits: list[Outfit], seed: int) -> None:
    before, draws = batch(outfits), Generator().manual_seed(seed)
    _, first = SHOE(before, before.mask, draws)
    _, second = SHOE(before, before.mask & ~first, draws)
    assert not (first & second).any()


def test_an_item_that_the_other_outfit_has_already_stays() -> None:
    # Whichever shoe the first offers, the second has it, or the first has the second's.
    outfits = [[2, 5, 0, -1, -1], [2, 5, 1, -1, -1]]
    before = batch(outfits)
    for seed in range(20):
        assert view_of(SHOE, before, before.mask, seed) == outfits


def test_an_outfit_that_meets_no_other_stays() -> None:
    for outfits in ([[0, 1, 2, -1, -1]], [[0, 1, 2, -1, -1], [3, 4, -1, -1, -1]]):
        before = batch(outfits)
        assert view_of(SHOE, before, before.mask, 0) == outfits
        assert view_of(SHOE, before, torch.zeros_like(before.mask), 0) == outfits


def test_draws_are_those_of_the_generator() -> None:
    before = batch([[item, 0, -1, -1, -1] for item in (2, 5, 8, 11)] * 5)
    state = torch.get_rng_state()
    one, two, other = (view_of(SHOE, before, before.mask, seed) for seed in (1, 1, 2))
    assert one == two != other
    assert torch.equal(torch.get_rng_state(), state)


def test_it_is_a_view_of_the_contrastive_objective() -> None:
    objective = Contrastive(views=(Erase(), SHOE), loss=lambda a, b, label=None: a.sum(), dim=4)
    outfits = batch([[0, 1, 2, -1, -1], [3, 4, 5, -1, -1]])
    none = torch.empty(0, dtype=torch.long)
    views = objective.extra(Batch(torch.tensor([0, 1]), outfits, none), Generator().manual_seed(0))
    assert views.mask.sum(dim=1).tolist() == [2, 2, 3, 3]
    assert views.items[2:].tolist() == [[0, 1, 5, -1, -1], [3, 4, 2, -1, -1]]


def test_a_category_that_the_dataset_has_not_is_an_error_that_lists_those_it_has() -> None:
    with pytest.raises(RecipeError, match="the dataset has no 'hat'") as caught:
        Swap(category="hat", categories=NAMES)
    assert "choose one of its categories: top, bottom, shoe" in str(caught.value)


def test_the_protocol_is_satisfied() -> None:
    augmenter: Augmenter = SHOE
    assert isinstance(augmenter, Augmenter)
