import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tiny import student, tiny
from torch import Generator, Tensor

from outfitrec import run
from outfitrec.core.data import Catalog, Rows, Split
from outfitrec.core.drawn import Drawn
from outfitrec.core.errors import DataError, RecipeError
from outfitrec.core.recipe import load_recipe
from outfitrec.plugins.negatives.hard import Hard
from outfitrec.plugins.negatives.mixed import Mixed
from outfitrec.plugins.negatives.random_mix import RandomMix
from outfitrec.protocols import Negatives

ITEMS = 60
CATALOG = Catalog([f"item {k}" for k in range(ITEMS)], torch.arange(ITEMS) % 3, ("top", "bottom", "shoe"))
Post = tuple[int, tuple[int, ...]]
# Tops are 0 and 3, so that an outfit with two has them in either order, and few outfits, so that users have them in
# common and post them twice.
tops = st.sampled_from([(0, -1), (-1, 0), (3, -1), (0, 3), (3, 0)])
few = st.builds(lambda top, bottom, shoe: (*top, bottom, shoe), tops, st.sampled_from([1, 4]), st.just(2))
crowded = st.lists(st.tuples(st.sampled_from([0, 1, 4, 7]), few), min_size=1, max_size=30)
# Outfits of more items, some of which more than one user has.
many = st.tuples(*[st.sampled_from(range(slot, 24, 3)) for slot in range(3)])
varied = st.lists(st.tuples(st.integers(0, 4), many), min_size=4, max_size=25)
seeds = st.integers(0, 2**32 - 1)
shares = st.sampled_from(["step", "pair"])
counts = st.integers(1, 4)


def split_of(posts: Sequence[Post]) -> Split:
    users, outfits = zip(*posts, strict=True)
    return Split(Rows(torch.tensor(users), CATALOG.outfits(torch.tensor(outfits))))


def worn(outfit: Sequence[int]) -> frozenset[int]:
    return frozenset(item for item in outfit if item >= 0)


def own(posts: Sequence[Post], user: int) -> set[frozenset[int]]:
    return {worn(outfit) for one, outfit in posts if one == user}


def others(posts: Sequence[Post], user: int) -> Counter[tuple[int, ...]]:
    """How many of the positives that the user may have as hard negatives are each outfit."""
    return Counter(outfit for one, outfit in posts if one != user and worn(outfit) not in own(posts, user))


def everybody_has_others(posts: Sequence[Post]) -> bool:
    return all(others(posts, user) for user, _ in posts)


def a_mix_is_left(posts: Sequence[Post]) -> bool:
    taken = {worn(outfit) for _, outfit in posts}
    pools = [set(slot) for slot in zip(*(outfit for _, outfit in posts), strict=True)]
    return any(worn(outfit) not in taken for outfit in itertools.product(*pools))


def some(split: Split, seed: int) -> Rows:
    """Pairs of a step: some positives in any order."""
    order = torch.randperm(len(split), generator=Generator().manual_seed(seed))
    return split.positives[order[: max(1, len(split) // 2)]]


def listed(drawn: Drawn) -> list[tuple[int, ...]]:
    return [tuple(outfit) for outfit in drawn.outfits.items.tolist()]


def of_pairs(drawn: Drawn, pairs: Rows) -> Iterator[tuple[int, tuple[int, ...]]]:
    """User and negative of each row that belongs to one pair."""
    each = len(drawn.outfits) // len(pairs)
    return zip(pairs.users.repeat_interleave(each).tolist(), listed(drawn), strict=True)


def naive_mask(posts: Sequence[Post], pairs: Rows, drawn: Drawn) -> list[list[bool]]:
    return [[worn(outfit) not in own(posts, user) for outfit in listed(drawn)] for user in pairs.users.tolist()]


def tensors(rows: Rows) -> list[Tensor]:
    return [rows.users, rows.outfits.items, rows.outfits.category]


@given(crowded, seeds, counts)
def test_a_pair_has_outfits_of_other_users_and_none_of_its_own(posts: Sequence[Post], seed: int, count: int) -> None:
    assume(everybody_has_others(posts))
    split = split_of(posts)
    pairs = some(split, seed)
    drawn = Hard(share="pair", count=count, split=split).draw(pairs, Generator().manual_seed(seed))
    assert (drawn.shared, drawn.mask, len(drawn.outfits)) == (False, None, count * len(pairs))
    assert all(outfit in others(posts, user) for user, outfit in of_pairs(drawn, pairs))
    assert torch.equal(drawn.outfits.category, CATALOG.outfits(drawn.outfits.items).category)


@given(crowded, seeds, counts)
def test_the_mask_of_a_step_is_that_of_a_naive_loop(posts: Sequence[Post], seed: int, count: int) -> None:
    assume(everybody_has_others(posts))
    split = split_of(posts)
    pairs = some(split, seed)
    drawn = Hard(count=count, split=split).draw(pairs, Generator().manual_seed(seed))
    assert drawn.shared
    assert drawn.mask is not None
    assert drawn.mask.tolist() == naive_mask(posts, pairs, drawn)
    assert all(outfit in others(posts, user) for user, outfit in of_pairs(drawn, pairs))
    # What is drawn for a pair counts for it.
    assert drawn.mask.sum(dim=1).min() >= count


@settings(max_examples=25)
@given(crowded, seeds)
def test_every_positive_of_other_users_is_drawn_as_often(posts: Sequence[Post], seed: int) -> None:
    assume(everybody_has_others(posts))
    split, draws = split_of(posts), 5000
    drawn = Hard(share="pair", count=draws, split=split).draw(split.positives[:1], Generator().manual_seed(seed))
    right = others(posts, posts[0][0])
    found = Counter(listed(drawn))
    assert set(found) <= set(right)
    for outfit, number in right.items():
        share = number / right.total()
        # Five standard deviations.
        assert abs(found[outfit] - draws * share) <= 5 * math.sqrt(draws * share * (1 - share))


def test_an_outfit_posted_by_two_others_is_drawn_twice_as_often() -> None:
    posts = [(0, (0, 1, 2)), (1, (3, 1, 2)), (2, (3, 1, 2)), (2, (0, 4, 2))]
    split = split_of(posts)
    drawn = Hard(share="pair", count=9000, split=split).draw(split.positives[:1], Generator().manual_seed(0))
    assert Counter(listed(drawn))[3, 1, 2] == pytest.approx(6000, abs=250)


def test_a_user_without_a_posted_outfit_may_have_all() -> None:
    split = split_of([(0, (0, 1, 2)), (5, (3, 1, 2))])
    for user in (2, 9):
        pairs = Rows(torch.tensor([user]), split.positives.outfits[:1])
        drawn = Hard(share="pair", count=60, split=split).draw(pairs, Generator().manual_seed(0))
        assert set(listed(drawn)) == {(0, 1, 2), (3, 1, 2)}


@given(crowded)
def test_a_user_who_posted_all_that_others_did_is_an_error(posts: Sequence[Post]) -> None:
    alone = sorted({user for user, _ in posts if not others(posts, user)})
    assume(alone)
    with pytest.raises(DataError, match=f"did not post too: {', '.join(map(str, alone))}\n"):
        Hard(split=split_of(posts))


@pytest.mark.parametrize("made", [Hard, Mixed])
def test_a_split_without_positives_is_an_error(made: Any) -> None:
    empty = split_of([(0, (0, 1, 2))]).take(torch.arange(0))
    with pytest.raises(DataError, match="without positives"):
        made(split=empty, **({"catalog": CATALOG} if made is Mixed else {}))


@given(varied, seeds, counts, st.sampled_from([0.0, 0.25, 0.5, 0.7, 1.0]))
def test_a_step_has_the_exact_number_of_hard_ones(posts: Sequence[Post], seed: int, count: int, hard: float) -> None:
    assume(everybody_has_others(posts) and a_mix_is_left(posts))
    split = split_of(posts)
    pairs = some(split, seed)
    mixed = Mixed(hard=hard, count=count, split=split, catalog=CATALOG)
    drawn = mixed.draw(pairs, Generator().manual_seed(seed))
    taken = {worn(outfit) for _, outfit in posts}
    assert len(drawn.outfits) == count * len(pairs)
    assert sum(worn(outfit) in taken for outfit in listed(drawn)) == round(hard * count * len(pairs))
    assert drawn.shared
    assert drawn.mask is not None
    assert drawn.mask.tolist() == naive_mask(posts, pairs, drawn)
    # A random one counts for everybody, and the pair that a hard one is drawn for has not posted it.
    assert bool(drawn.mask.any(dim=1).all())


@given(varied, seeds, counts, st.sampled_from([0.0, 0.25, 0.5, 0.7, 1.0]))
def test_a_pair_has_its_share_of_hard_ones(posts: Sequence[Post], seed: int, count: int, hard: float) -> None:
    assume(everybody_has_others(posts) and a_mix_is_left(posts))
    split = split_of(posts)
    pairs = some(split, seed)
    mixed = Mixed(hard=hard, share="pair", count=count, split=split, catalog=CATALOG)
    drawn = mixed.draw(pairs, Generator().manual_seed(seed))
    taken = {worn(outfit) for _, outfit in posts}
    assert (drawn.shared, drawn.mask, len(drawn.outfits)) == (False, None, count * len(pairs))
    rows = [(user, outfit, worn(outfit) in taken) for user, outfit in of_pairs(drawn, pairs)]
    assert all(outfit in others(posts, user) for user, outfit, posted in rows if posted)
    for start in range(0, len(rows), count):
        number = sum(posted for _, _, posted in rows[start : start + count])
        assert number in (math.floor(hard * count), math.ceil(hard * count))


@pytest.mark.parametrize(("hard", "count"), [(0.5, 1), (0.3, 1), (0.5, 3)])
def test_a_share_that_is_not_whole_is_right_on_average(hard: float, count: int) -> None:
    posts = [(k % 3, (3 * k, 1 + 3 * k, 2 + 3 * k)) for k in range(8)]
    split, draws = split_of(posts), 4000
    pairs = split.positives[torch.arange(draws) % 8]
    mixed = Mixed(hard=hard, share="pair", count=count, split=split, catalog=CATALOG)
    drawn = mixed.draw(pairs, Generator().manual_seed(0))
    taken = {worn(outfit) for _, outfit in posts}
    found = sum(worn(outfit) in taken for outfit in listed(drawn))
    # The number of a pair deviates by a half at most.
    assert abs(found - hard * count * draws) <= 5 * math.sqrt(draws) / 2


def test_mixed_ones_are_drawn_as_hard_and_random_mix_draw_them() -> None:
    posts = [(0, (0, 1, 2)), (1, (3, 4, 2)), (1, (3, 4, 2)), (2, (6, 1, 2)), (0, (6, 1, 2))]
    split = split_of(posts)
    taken = {worn(outfit) for _, outfit in posts}
    mixed = Mixed(share="pair", count=4000, split=split, catalog=CATALOG).draw(split.positives[:1], Generator())
    random = RandomMix(count=400, split=split, catalog=CATALOG).draw(split.positives[:1], Generator())
    found = Counter(outfit for outfit in listed(mixed) if worn(outfit) in taken)
    assert found == {(3, 4, 2): 2000}
    assert {outfit for outfit in listed(mixed) if worn(outfit) not in taken} == set(listed(random))
    hard = Mixed(hard=1.0, share="pair", count=3, split=split, catalog=CATALOG).draw(split.positives[3:4], Generator())
    assert set(listed(hard)) <= {(0, 1, 2), (3, 4, 2)}


@given(varied, seeds, shares)
def test_draws_are_those_of_the_generator_and_leave_everything_else_alone(
    posts: Sequence[Post], seed: int, share: str
) -> None:
    assume(everybody_has_others(posts) and a_mix_is_left(posts))
    split = split_of(posts)
    pairs = some(split, seed)
    before = [tensor.clone() for tensor in (*tensors(split.positives), *tensors(pairs))]
    state = torch.get_rng_state()
    made: list[Negatives] = [
        Hard(share=share, count=2, split=split),
        Mixed(share=share, count=2, split=split, catalog=CATALOG),
    ]
    for negatives in made:
        one, two = (negatives.draw(pairs, Generator().manual_seed(seed)) for _ in range(2))
        assert torch.equal(one.outfits.items, two.outfits.items)
        one.outfits.items.fill_(7)
    assert torch.equal(torch.get_rng_state(), state)
    for old, new in zip(before, (*tensors(split.positives), *tensors(pairs)), strict=True):
        assert torch.equal(old, new)


@pytest.mark.parametrize("share", ["step", "pair"])
def test_other_seeds_give_other_draws(share: str) -> None:
    split = split_of([(k % 3, (3 * k, 1 + 3 * k, 2 + 3 * k)) for k in range(8)])
    for negatives in (
        Hard(share=share, count=3, split=split),
        Mixed(share=share, count=3, split=split, catalog=CATALOG),
    ):
        one, two = (listed(negatives.draw(split.positives, Generator().manual_seed(seed))) for seed in (1, 2))
        assert one != two


def test_protocols_are_satisfied() -> None:
    split = split_of([(0, (0, 1, 2)), (1, (3, 4, 2))])
    made: list[Negatives] = [Hard(split=split), Mixed(split=split, catalog=CATALOG)]
    assert all(isinstance(negatives, Negatives) for negatives in made)


@pytest.mark.parametrize("name", ["hard", "mixed"])
def test_an_evaluation_does_not_share_its_negatives(name: str) -> None:
    with pytest.raises(RecipeError, match="an evaluation needs negatives of each pair: set share: pair"):
        load_recipe(tiny(evaluate={"negatives": name}))
    load_recipe(tiny(negatives=name, evaluate={"negatives": {"name": name, "share": "pair", "count": 10}}))


@pytest.mark.parametrize("hard", [-0.1, 1.1, math.nan])
def test_a_share_out_of_range_is_refused(hard: float) -> None:
    with pytest.raises(RecipeError, match="must be ≥ 0, ≤ 1"):
        load_recipe(tiny(negatives={"name": "mixed", "hard": hard}))


def test_a_student_is_trained_and_ranked_with_hard_negatives(tmp_path: Path) -> None:
    changes = {
        "negatives": {"name": "mixed", "hard": 0.5, "share": "step", "count": 1},
        "evaluate": {"negatives": {"name": "hard", "share": "pair", "count": 10}},
    }
    one, two = (run(student(**changes), out=tmp_path / name) for name in "ab")
    assert one.result.per_user == two.result.per_user
    assert one.result.protocol["negatives"] == "Hard"
    assert one.result.protocol["hash"] != run(tiny(), out=tmp_path).result.protocol["hash"]
    # Every user likes other outfits: a model that knows the outfit and not the user would be at one half.
    assert one.result.test["auc"] > 0.6
