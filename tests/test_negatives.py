import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, chisquare
from torch import Generator

from outfitrec.core.data import Catalog, Rows, Split
from outfitrec.core.drawn import Drawn
from outfitrec.core.errors import DataError, UserError
from outfitrec.plugins.negatives.random_mix import RandomMix
from outfitrec.plugins.negatives.stored import Stored
from outfitrec.protocols import Negatives

ITEMS = 3000
CATALOG = Catalog([f"item {k}" for k in range(ITEMS)], torch.arange(ITEMS) % 3, ("top", "bottom", "shoe"))
# Tops are 0, 3, 6, …, bottoms 1, 4, 7, …, shoes 2, 5, 8, …
tops, bottoms, shoes = (st.sampled_from(range(category, 24, 3)) for category in range(3))
simple = st.lists(st.tuples(tops, bottoms, shoes), min_size=1, max_size=25)
layered = st.lists(st.tuples(tops, tops | st.just(-1), bottoms, shoes), min_size=1, max_size=25)
seeds = st.integers(0, 2**32 - 1)
Outfit = tuple[int, ...]


def rows(outfits: Sequence[Outfit]) -> Rows:
    return Rows(torch.arange(len(outfits)) % 4, CATALOG.outfits(torch.tensor(outfits)))


def drawn(outfits: Sequence[Outfit], count: int, seed: int = 0) -> list[Outfit]:
    """Outfits drawn for a split with these positives."""
    split = Split(rows(outfits))
    mix = RandomMix(count=count, split=split, catalog=CATALOG)
    return listed(mix.draw(split.positives[:1], Generator().manual_seed(seed)))


def listed(drawn: Drawn) -> list[Outfit]:
    return [tuple(outfit) for outfit in drawn.outfits.items.tolist()]


def worn(outfit: Outfit) -> Counter[int]:
    return Counter(item for item in outfit if item >= 0)


def allowed(outfits: Sequence[Outfit]) -> Iterator[Outfit]:
    """Every outfit of the slots' pools that may be drawn."""
    taken = [worn(outfit) for outfit in outfits]
    for outfit in itertools.product(*map(set, zip(*outfits, strict=True))):
        if worn(outfit) and worn(outfit) not in taken and max(worn(outfit).values()) == 1:
            yield outfit


@given(simple | layered, seeds)
def test_no_positive_no_item_twice_and_the_pools_of_the_slots(outfits: Sequence[Outfit], seed: int) -> None:
    assume(any(True for _ in allowed(outfits)))
    pools = [set(slot) for slot in zip(*outfits, strict=True)]
    taken = [worn(outfit) for outfit in outfits]
    for outfit in set(drawn(outfits, 40, seed)):
        assert worn(outfit) not in taken
        assert max(worn(outfit).values()) == 1
        assert all(item in pool for item, pool in zip(outfit, pools, strict=True))


@settings(max_examples=20)
@given(
    st.lists(st.tuples(*[st.integers(-1, 1)] * 3).filter(lambda outfit: max(outfit) >= 0), min_size=1, max_size=4),
    seeds,
)
def test_of_the_smallest_pools_all_that_is_allowed_is_drawn_or_an_error_raised(
    outfits: Sequence[Outfit], seed: int
) -> None:
    right = set(allowed(outfits))
    if right:
        assert set(drawn(outfits, 500, seed)) == right
    else:
        with pytest.raises(DataError, match=f"gave nothing but the {len(outfits)} positives of the split"):
            drawn(outfits, 1, seed)


def test_what_is_drawn_is_uniform_over_all_that_is_allowed() -> None:
    # Pools of 3, 3 and 2, however often an item occurs in them.
    outfits = [(0, 1, 2), (0, 4, 2), (0, 7, 2), (3, 1, 5), (6, 1, 2)]
    right = set(allowed(outfits))
    assert len(right) == 3 * 3 * 2 - 5
    counts = Counter(drawn(outfits, 13_000))
    assert set(counts) == right
    assert chisquare([counts[outfit] for outfit in right]).pvalue > 1e-3


def test_the_share_of_empty_slots_is_kept() -> None:
    # Three of five have no second top. The pools are so large that hardly anything is refused.
    outfits = [(3 * k, -1 if k % 5 < 3 else (3 * k + 3) % 3000, 3 * k + 1, 3 * k + 2) for k in range(1000)]
    second = Counter(outfit[1] for outfit in drawn(outfits, 60_000))
    assert binomtest(second[-1], 60_000, 0.6).pvalue > 1e-3
    del second[-1]
    assert set(second) == {outfit[1] for outfit in outfits} - {-1}
    assert chisquare(list(second.values())).pvalue > 1e-3


def test_an_outfit_with_its_tops_swapped_is_the_same_outfit() -> None:
    outfits = [(0, 3, 1, 2), (3, 6, 1, 2)]
    # Of the tops 0, 3 and 3, 6: 0 with 6 is new, 3 with 3 is no outfit.
    assert set(drawn(outfits, 40)) == {(0, 6, 1, 2)}


def test_a_slot_that_is_always_empty_stays_empty() -> None:
    assert {outfit[1] for outfit in drawn([(0, -1, 1), (3, -1, 4)], 50)} == {-1}


def test_a_step_shares_its_negatives_and_a_pair_has_its_own() -> None:
    split = Split(rows([(0, 1, 2), (3, 4, 5), (6, 7, 8), (9, 10, 11)]))
    pairs = split.positives[torch.tensor([2, 0, 3])]
    shared = RandomMix(count=2, split=split, catalog=CATALOG).draw(pairs, Generator())
    own = RandomMix(share="pair", count=2, split=split, catalog=CATALOG).draw(pairs, Generator())
    assert (shared.shared, own.shared) == (True, False)
    for one in (shared, own):
        assert len(one.outfits) == 6
        assert one.mask is None
        assert torch.equal(one.outfits.category, torch.tensor([[0, 1, 2]] * 6))


def test_draws_are_those_of_the_generator() -> None:
    outfits = [(3 * k, 1 + 3 * k, 2 + 3 * k) for k in range(10)]
    assert drawn(outfits, 50, seed=1) == drawn(outfits, 50, seed=1)
    assert drawn(outfits, 50, seed=1) != drawn(outfits, 50, seed=2)
    generator = Generator().manual_seed(1)
    mix = RandomMix(count=50, split=Split(rows(outfits)), catalog=CATALOG)
    state = torch.get_rng_state()
    first, second = (listed(mix.draw(rows(outfits[:1]), generator)) for _ in range(2))
    assert first != second
    assert torch.equal(torch.get_rng_state(), state)


def test_a_rare_outfit_is_found() -> None:
    # All of 3 × 3 × 3 but one are positives.
    outfits = [(3 * a, 1 + 3 * b, 2 + 3 * c) for a, b, c in itertools.product(range(3), repeat=3)]
    missing = outfits.pop(14)
    assert set(drawn(outfits, 30)) == {missing}


def test_a_split_without_positives_is_an_error() -> None:
    with pytest.raises(DataError, match="without positives"):
        RandomMix(split=Split(rows([(0, 1, 2)])[:0]), catalog=CATALOG)


def test_stored_negatives_are_those_of_the_split() -> None:
    positives = rows([(0, 1, 2), (3, 4, 5)])
    random, hard = rows([(0, 4, 2), (3, 1, 5), (0, 4, 5), (3, 4, 2)]), rows([(6, 7, 8), (9, 10, 11)])
    split = Split(positives, {"random": random, "hard": hard})
    for name, expected in (("random", random), ("hard", hard)):
        stored = Stored(set=name, split=split, catalog=CATALOG)
        found = stored.draw(split.positives, Generator())
        assert torch.equal(found.outfits.items, expected.outfits.items)
        assert not found.shared
        assert found.mask is None
        assert stored.source == f"stored {name}"


def test_random_negatives_that_are_not_stored_are_drawn() -> None:
    split = Split(rows([(0, 1, 2), (3, 4, 5), (6, 7, 8)]), {"hard": rows([(9, 10, 11)] * 3)})
    stored = Stored(count=4, split=split, catalog=CATALOG)
    assert stored.source == "drawn random, 4 a positive"
    found = stored.draw(split.positives, Generator().manual_seed(3))
    assert not found.shared
    mix = RandomMix(share="pair", count=4, split=split, catalog=CATALOG)
    assert listed(found) == listed(mix.draw(split.positives, Generator().manual_seed(3)))
    assert Stored(split=split, catalog=CATALOG).source == "drawn random, 10 a positive"


def test_hard_negatives_that_are_not_stored_are_an_error() -> None:
    positives = rows([(0, 1, 2)])
    with pytest.raises(DataError, match="stores no hard negatives") as caught:
        Stored(set="hard", split=Split(positives, {"random": positives}), catalog=CATALOG)
    assert "stored: random" in str(caught.value)
    with pytest.raises(DataError, match="stored: none"):
        Stored(set="hard", split=Split(positives), catalog=CATALOG)


@pytest.mark.parametrize("known", [True, False])
def test_stored_negatives_are_not_for_training(known: bool) -> None:
    positives = rows([(0, 1, 2), (3, 4, 5)])
    stored = Stored(split=Split(positives, {"random": positives} if known else {}), catalog=CATALOG)
    for index in (torch.tensor([0]), torch.tensor([1, 0])):
        with pytest.raises(UserError, match="are for evaluation"):
            stored.draw(positives[index], Generator())


def test_protocols_are_satisfied() -> None:
    split = Split(rows([(0, 1, 2)]))
    made: list[Negatives] = [RandomMix(split=split, catalog=CATALOG), Stored(split=split, catalog=CATALOG)]
    assert all(isinstance(negatives, Negatives) for negatives in made)
