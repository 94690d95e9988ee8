from collections import Counter
from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from padded import Outfit, padded
from scipy.stats import chisquare
from torch import Generator, Tensor

import outfitrec
from outfitrec.core.data import Catalog
from outfitrec.core.errors import DataError, UserError
from outfitrec.core.neighbours import ABSENT, Neighbours
from outfitrec.core.outfits import Outfits
from outfitrec.plugins.augmenters.erase import Erase
from outfitrec.plugins.augmenters.identity import Identity
from outfitrec.plugins.augmenters.replace import Replace
from outfitrec.protocols import Augmenter

ITEMS, MOST = 24, 6
CATALOG = Catalog([f"item {k}" for k in range(ITEMS)], torch.arange(ITEMS) % 3, ("top", "bottom", "shoe"))
seeds = st.integers(0, 2**32 - 1)
counts = st.integers(1, MOST)


batches = st.lists(padded(ITEMS), min_size=1, max_size=12)


def batch(outfits: Sequence[Outfit]) -> Outfits:
    return CATALOG.outfits(torch.tensor(outfits))


def random_table(seed: int) -> Tensor:
    """Up to `MOST` items of each item's category, in an order of their own; some items have none at all."""
    draws = Generator().manual_seed(seed)
    table = torch.full((ITEMS, MOST), -1)
    for item in range(ITEMS):
        others = torch.tensor([other for other in range(item % 3, ITEMS, 3) if other != item])
        number = int(torch.randint(0, MOST + 1, (), generator=draws))
        table[item, :number] = others[torch.randperm(len(others), generator=draws)[:number]]
    return table


def replace(table: Tensor, count: int = MOST) -> Replace:
    known = Neighbours(CATALOG.names, lambda number: table[:, :number])
    return Replace(count=count, neighbours=known)


def some_free(outfits: Outfits, seed: int) -> Tensor:
    """Slots at random, empty ones among them."""
    return torch.rand(outfits.items.shape, generator=Generator().manual_seed(seed)) < 0.7


def check_slots(outfits: Outfits, view: Outfits, changed: Tensor, free: Tensor) -> None:
    """Altered is what is said to be, at most one free item of each outfit, and no item is twice or none there."""
    assert torch.equal(view.items != outfits.items, changed)
    assert torch.equal(view.category[~changed], outfits.category[~changed])
    assert not (changed & ~(free & outfits.mask)).any()
    assert int(changed.sum(dim=1).max()) <= 1
    assert view.mask.any(dim=1).all()
    for items in view.items.tolist():
        assert max(Counter(item for item in items if item >= 0).values()) == 1


@given(batches, seeds)
def test_identity_alters_nothing(outfits: list[Outfit], seed: int) -> None:
    before = batch(outfits)
    view, changed = Identity()(before, some_free(before, seed), Generator())
    assert torch.equal(view.items, before.items)
    assert torch.equal(view.category, before.category)
    assert not changed.any()


@given(batches, seeds)
def test_erase_empties_one_free_slot_but_never_the_last(outfits: list[Outfit], seed: int) -> None:
    before = batch(outfits)
    free = some_free(before, seed)
    view, changed = Erase()(before, free, Generator().manual_seed(seed))
    check_slots(before, view, changed, free)
    assert (view.items[changed] == -1).all()
    assert (view.category[changed] == -1).all()
    for k, outfit in enumerate(outfits):
        may = sum(item >= 0 for item in outfit) > 1 and any(
            item >= 0 and bool(free[k, slot]) for slot, item in enumerate(outfit)
        )
        assert int(changed[k].sum()) == may
    assert torch.equal(before.items, torch.tensor(outfits))


@given(batches, seeds, counts)
def test_replace_puts_a_near_item_of_the_category_in_one_free_slot(
    outfits: list[Outfit], seed: int, count: int
) -> None:
    before, table = batch(outfits), random_table(seed)
    free, kept = some_free(before, seed), table.clone()
    view, changed = replace(table, count)(before, free, Generator().manual_seed(seed))
    check_slots(before, view, changed, free)
    assert torch.equal(view.category, before.category)
    assert torch.equal(view.category, CATALOG.outfits(view.items).category)
    for k, outfit in enumerate(outfits):
        near = {
            slot: set(table[item, :count].tolist()) - {-1, *outfit}
            for slot, item in enumerate(outfit)
            if item >= 0 and bool(free[k, slot])
        }
        assert int(changed[k].sum()) == any(near.values())
        for slot in changed[k].nonzero().flatten().tolist():
            assert int(view.items[k, slot]) in near[slot]
    assert torch.equal(before.items, torch.tensor(outfits))
    assert torch.equal(table, kept)


@given(batches, seeds)
def test_identical_augmenters_alter_different_items(outfits: list[Outfit], seed: int) -> None:
    before, draws = batch(outfits), Generator().manual_seed(seed)
    for augmenter in (Erase(), replace(random_table(seed))):
        _, first = augmenter(before, before.mask, draws)
        view, second = augmenter(before, before.mask & ~first, draws)
        check_slots(before, view, second, before.mask & ~first)
        assert not (first & second).any()
    # Two items can be erased of any outfit that has two.
    _, first = Erase()(before, before.mask, draws)
    _, second = Erase()(before, before.mask & ~first, draws)
    several = before.mask.sum(dim=1) > 1
    assert torch.equal((first | second).sum(dim=1) == 2, several)


def test_erase_chooses_evenly() -> None:
    outfits = batch([[0, -1, 1, 2, 5]] * 6000)
    free = torch.tensor([True, True, True, False, True]).expand(6000, -1)
    _, changed = Erase()(outfits, free, Generator().manual_seed(0))
    erased = changed.sum(dim=0)
    assert erased[[1, 3]].tolist() == [0, 0]
    assert int(erased.sum()) == 6000
    assert chisquare(erased[[0, 2, 4]]).pvalue > 1e-3


def test_replace_chooses_evenly_among_slots_and_then_among_neighbours() -> None:
    table = torch.full((ITEMS, 4), -1)
    table[0] = torch.tensor([6, 9, 3, 12])
    table[1, 0] = 4
    # 3 is there already; 2 has no neighbour; 3 has one that is there and one beyond the third.
    table[3] = torch.tensor([0, -1, -1, 6])
    outfits = batch([[0, -1, 1, 2, 3]] * 8000)
    view, changed = replace(table, count=3)(outfits, outfits.mask, Generator().manual_seed(0))
    assert changed.sum(dim=0)[[1, 3, 4]].tolist() == [0, 0, 0]
    assert chisquare(changed.sum(dim=0)[[0, 2]]).pvalue > 1e-3
    found = Counter(view.items[:, 0][changed[:, 0]].tolist())
    assert set(found) == {6, 9}
    assert chisquare(list(found.values())).pvalue > 1e-3


def test_the_table_is_asked_for_once_and_with_the_number_of_neighbours() -> None:
    asked: list[int] = []
    table = random_table(0)

    def find(number: int) -> Tensor:
        asked.append(number)
        return table[:, :number]

    known = Neighbours(CATALOG.names)
    augmenter = Replace(count=4, neighbours=known)
    outfits = batch([[0, 1, 2, -1, -1]])
    with pytest.raises(DataError, match="the recipe has no neighbours"):
        augmenter(outfits, outfits.mask, Generator())
    known.find = find
    for _ in range(3):
        augmenter(outfits, outfits.mask, Generator())
    assert asked == [4]


def test_an_item_that_is_not_in_the_table_is_an_error_that_names_it() -> None:
    table = random_table(0)
    table[[4, 7]] = ABSENT
    outfits = batch([[0, 4, 2, -1, -1], [3, 7, -1, -1, -1]])
    with pytest.raises(DataError, match="no similar items are known of item 4, item 7") as caught:
        replace(table)(outfits, outfits.mask, Generator())
    assert "training split" in str(caught.value)
    free = torch.tensor([[True, False, True, True, True]] * 2)
    view, _ = replace(table)(outfits, free, Generator())
    assert view.items[:, 1].tolist() == [4, 7]


def test_draws_are_those_of_the_generator() -> None:
    outfits, table = batch([[0, 1, 2, -1, 3]] * 20), random_table(1)
    state = torch.get_rng_state()
    for augmenter in (Erase(), replace(table)):
        one, two, other = (augmenter(outfits, outfits.mask, Generator().manual_seed(seed))[0] for seed in (1, 1, 2))
        assert torch.equal(one.items, two.items)
        assert not torch.equal(one.items, other.items)
    assert torch.equal(torch.get_rng_state(), state)


def test_they_are_used_alone() -> None:
    known = Neighbours(CATALOG.names, lambda number: random_table(0)[:, :number])
    assert outfitrec.create("augmenter", "replace", neighbours=known).count == 10
    assert isinstance(outfitrec.create("augmenter", "erase"), Erase)
    assert isinstance(outfitrec.create("augmenter", "identity"), Identity)
    with pytest.raises(UserError, match="count: must be ≥ 1"):
        outfitrec.create("augmenter", "replace", count=0, neighbours=known)


def test_protocols_are_satisfied() -> None:
    augmenters: list[Augmenter] = [Identity(), Erase(), replace(random_table(0))]
    assert all(isinstance(augmenter, Augmenter) for augmenter in augmenters)
