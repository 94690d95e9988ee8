from collections import Counter
from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare
from torch import Generator, Tensor

from outfitrec import Catalog, DataError, Rows, Split
from outfitrec_baselines.triplets.draw import SameTypeItems

CATALOG = Catalog([f"item {k}" for k in range(60)], torch.arange(60) % 3, ("top", "bottom", "shoe"))
# Tops are 0, 3, 6, …, bottoms 1, 4, 7, …, shoes 2, 5, 8, …
tops, bottoms, shoes = (st.sampled_from(range(category, 24, 3)) for category in range(3))
layered = st.lists(st.tuples(tops, tops | st.just(-1), bottoms, shoes), min_size=1, max_size=12)
seeds = st.integers(0, 2**32 - 1)
Outfit = tuple[int, ...]


def split(outfits: Sequence[Outfit]) -> Split:
    return Split(Rows(torch.arange(len(outfits)) % 4, CATALOG.outfits(torch.tensor(outfits))))


def drawn(posted: Sequence[Outfit], outfits: Sequence[Outfit], positive: Sequence[int], seed: int = 0) -> list[int]:
    """What is drawn from the posted outfits for these positives, each in its outfit."""
    others = SameTypeItems(split(posted), CATALOG)
    rows = CATALOG.outfits(torch.tensor(outfits))
    found: list[int] = others.draw(rows, torch.tensor(positive), Generator().manual_seed(seed)).tolist()
    return found


def chances(posted: Sequence[Outfit], outfit: Outfit, positive: int) -> dict[int, float]:
    """Chance of each item: an outfit that has the type, evenly; an item of the type in it, evenly; none of ours."""
    chance: dict[int, float] = {}
    distinct = {frozenset(one) - {-1} for one in posted}
    having = [[item for item in one if item % 3 == positive % 3] for one in distinct]
    for items in filter(None, having):
        for item in items:
            if item not in outfit:
                chance[item] = chance.get(item, 0) + 1 / len(items)
    total = sum(chance.values())
    return {item: value / total for item, value in chance.items()}


@given(layered, seeds)
def test_what_is_drawn_is_a_posted_item_of_the_type_from_another_outfit(posted: list[Outfit], seed: int) -> None:
    rows = [(outfit, item) for outfit in posted for item in outfit if item >= 0]
    if not all(chances(posted, *row) for row in rows):
        with pytest.raises(DataError, match=r"no item of the type '(top|bottom|shoe)' but those of the outfit"):
            drawn(posted, [row[0] for row in rows], [row[1] for row in rows], seed)
        return
    found = drawn(posted, [row[0] for row in rows], [row[1] for row in rows], seed)
    assert len(found) == len(rows)
    for (outfit, item), other in zip(rows, found, strict=True):
        assert other % 3 == item % 3
        assert other not in outfit
        assert any(other in one for one in posted)


@pytest.mark.parametrize(("row", "positive"), [(0, 0), (0, 1), (2, 12), (3, 3), (4, 2)])
def test_an_outfit_is_drawn_evenly_and_then_an_item_of_it(row: int, positive: int) -> None:
    # Outfits with one, two and three tops; a top in several outfits; a type that an outfit lacks.
    posted = [(0, -1, 1, 2), (3, 0, 1, 5), (6, 9, 12, 8), (3, -1, 4, 11), (15, 18, 7, 2), (9, 3, 0, -1)]
    expected = chances(posted, posted[row], positive)
    counts = Counter(drawn(posted, [posted[row]] * 20_000, [positive] * 20_000))
    assert set(counts) == set(expected)
    items = sorted(expected)
    assert chisquare([counts[item] for item in items], [20_000 * expected[item] for item in items]).pvalue > 1e-3


def test_an_outfit_counts_once_whoever_posted_it_in_whatever_order() -> None:
    posted = [(0, -1, 1, 2), *[(3, 6, 4, 5), (6, 3, 4, 5), (3, 4, 5, 6)] * 5, (9, -1, 7, 8)]
    counts = Counter(drawn(posted, [posted[0]] * 12_000, [0] * 12_000))
    assert chisquare([counts[item] for item in (9, 3, 6)], [6000, 3000, 3000]).pvalue > 1e-3
    assert set(counts) == {9, 3, 6}


def test_the_rows_of_a_draw_have_their_own_types_and_outfits() -> None:
    posted = [(0, 1, 2), (3, 4, 5)]
    assert drawn(posted, [posted[0]] * 3 + [posted[1]] * 3, [0, 1, 2, 3, 4, 5]) == [3, 4, 5, 0, 1, 2]


def test_an_item_that_is_in_one_outfit_of_many_is_found() -> None:
    posted = [(0, 1 + 3 * k, 2) for k in range(15)] + [(3, 1, 2)]
    assert drawn(posted, [posted[0]], [0]) == [3]


def test_the_positive_is_never_drawn_though_its_outfit_lacks_it() -> None:
    posted = [(0, 1, 2), (3, 4, 5), (6, 7, 8)]
    assert set(drawn(posted, [(0, 1, 2)] * 200, [3] * 200)) == {6}


def test_draws_are_those_of_the_generator() -> None:
    posted = [(3 * k, 1 + 3 * k, 2 + 3 * k) for k in range(15)]
    rows, positive = [posted[0]] * 30, [0] * 30
    assert drawn(posted, rows, positive, seed=1) == drawn(posted, rows, positive, seed=1)
    assert drawn(posted, rows, positive, seed=1) != drawn(posted, rows, positive, seed=2)
    state = torch.get_rng_state()
    drawn(posted, rows, positive)
    assert torch.equal(torch.get_rng_state(), state)


def test_inputs_are_left_as_they_are() -> None:
    posted = split([(3, 0, 1), (6, 4, 5)])
    before = posted.positives.outfits.items.clone()
    positive: Tensor = torch.tensor([3, 4])
    SameTypeItems(posted, CATALOG).draw(posted.positives.outfits, positive, Generator())
    assert posted.positives.outfits.items.equal(before)
    assert positive.tolist() == [3, 4]


def test_no_rows_draw_nothing() -> None:
    nothing = torch.empty(0, dtype=torch.long)
    others = SameTypeItems(split([(0, 1, 2)]), CATALOG)
    assert others.draw(CATALOG.outfits(nothing.view(0, 3)), nothing, Generator()).shape == (0,)


@pytest.mark.parametrize(
    ("posted", "outfit", "positive", "type_"),
    [
        ([(0, 1, 2)], (0, 1, 2), 1, "bottom"),
        ([(0, 1, 2), (0, 4, 5)], (0, 4, 5), 0, "top"),
        ([(0, 1), (3, 4)], (0, 1, 2), 2, "shoe"),
        ([(0, 3, 1), (3, 0, 4)], (0, 3, 1), 3, "top"),
    ],
)
def test_where_nothing_can_be_drawn_the_error_names_type_and_item(
    posted: list[Outfit], outfit: Outfit, positive: int, type_: str
) -> None:
    with pytest.raises(
        DataError, match=f"no item of the type '{type_}' but those of .* 'item {positive}' is in"
    ) as caught:
        drawn(posted, [outfit], [positive])
    assert "two outfits with different items" in caught.value.problems[0].hint
