from itertools import combinations, pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from outfitrec.core.data import Questions, Rows, Split
from outfitrec.core.errors import DataError
from outfitrec.core.outfits import Outfits
from outfitrec.core.splits import by_component, halve, resplit

SHARES = (9.0, 2.0, 2.0)


def outfits(items: Tensor) -> Outfits:
    return Outfits(items, torch.where(items >= 0, 0, -1))


def rows(users: list[int], items: list[list[int]]) -> Rows:
    return Rows(torch.tensor(users), outfits(torch.tensor(items)))


def split_of(count: int, users: int, ratio: int = 3, start: int = 0) -> Split:
    """Each positive k has the items 3k to 3k+2; its negatives name it in their first item."""
    generator = torch.Generator().manual_seed(count)
    who = torch.randint(users, (count,), generator=generator)
    index = start + torch.arange(count)
    positives = Rows(who, outfits(index[:, None] * 3 + torch.arange(3)))
    owner = index.repeat_interleave(ratio)
    marks = torch.stack([owner, 10_000 + torch.arange(count * ratio)], dim=1)
    return Split(positives, {"random": Rows(who.repeat_interleave(ratio), outfits(marks))})


def check_negatives(split: Split, ratio: int) -> None:
    positives, stored = split.positives, split.negatives["random"]
    for k in range(len(split)):
        mine = stored[slice(k * ratio, (k + 1) * ratio)]
        assert mine.users.tolist() == [positives.users[k].item()] * ratio
        assert mine.outfits.items[:, 0].tolist() == [positives.outfits.items[k, 0].item() // 3] * ratio


a_row = st.tuples(st.integers(0, 2), st.lists(st.integers(0, 14), min_size=3, max_size=3))


@st.composite
def any_rows(draw: st.DrawFn) -> Rows:
    drawn = draw(st.lists(a_row, min_size=1, max_size=25))
    empty = draw(st.lists(st.booleans(), min_size=len(drawn), max_size=len(drawn)))
    items = [[a, -1 if gap else b, c] for (_, (a, b, c)), gap in zip(drawn, empty, strict=True)]
    return rows([user for user, _ in drawn], items)


@given(any_rows(), st.integers(0, 3))
@settings(max_examples=60)
def test_outfits_of_a_user_with_a_common_item_stay_together(data: Rows, seed: int) -> None:
    part = by_component(data, SHARES, seed)
    assert part.shape == (len(data),)
    assert set(part.tolist()) <= {0, 1, 2}
    users, items = data.users.tolist(), data.outfits.items.tolist()
    for a, b in combinations(range(len(data)), 2):
        if users[a] == users[b] and (set(items[a]) & set(items[b])) - {-1}:
            assert part[a] == part[b]
    assert part.equal(by_component(data, SHARES, seed))


def naive_closed(data: Rows) -> dict[int, list[list[int]]]:
    """Rows of each component of each user, by growing sets until nothing changes."""
    found: dict[int, list[list[int]]] = {}
    users, items = data.users.tolist(), [set(row) - {-1} for row in data.outfits.items.tolist()]
    for user in set(users):
        left = [k for k in range(len(data)) if users[k] == user]
        while left:
            group = [left.pop(0)]
            while True:
                more = [k for k in left if any(items[k] & items[member] for member in group)]
                if not more:
                    break
                group += more
                left = [k for k in left if k not in more]
            found.setdefault(user, []).append(group)
    return found


@given(any_rows())
@settings(max_examples=60)
def test_a_user_of_three_components_is_in_every_part_and_the_largest_trains(data: Rows) -> None:
    part = by_component(data, SHARES, 0)
    for groups in naive_closed(data).values():
        parts = [set(part[group].tolist()) for group in groups]
        assert all(len(one) == 1 for one in parts)
        if len(groups) >= 3:
            assert set.union(*parts) == {0, 1, 2}
        largest = max(map(len, groups))
        assert any(one == {0} for one, group in zip(parts, groups, strict=True) if len(group) == largest)


def test_the_shares_are_reached_exactly_where_nothing_hangs_together() -> None:
    count = 130
    items = torch.arange(count * 3).reshape(count, 3)
    data = Rows(torch.zeros(count, dtype=torch.long), outfits(items))
    first, second = by_component(data, SHARES, 0), by_component(data, SHARES, 1)
    assert first.bincount().tolist() == second.bincount().tolist() == [90, 20, 20]
    assert not first.equal(second)


def test_users_share_items_freely() -> None:
    data = rows([0, 1, 2, 3, 4, 5] * 10, [[7, 8, 100 + k] for k in range(60)])
    part = by_component(data, SHARES, 0)
    # All ten outfits of a user hang together by items 7 and 8: each user is in one part, and the first part is train.
    assert part.tolist() == [0] * 60


def test_resplit_carries_negatives_and_reports_shares() -> None:
    splits = {
        name: split_of(count, 4, start=start)
        for name, count, start in (("train", 300, 0), ("valid", 100, 300), ("test", 100, 400))
    }
    made, notes = resplit(splits, SHARES, 5)
    assert list(made) == ["train", "valid", "test"]
    firsts = sorted(row for split in made.values() for row in split.positives.outfits.items[:, 0].tolist())
    assert firsts == [3 * k for k in range(500)]
    for split in made.values():
        check_negatives(split, 3)
    assert notes["shares"] == {name: len(split) / 500 for name, split in made.items()}
    assert [len(split) / 500 for split in made.values()] == pytest.approx([9 / 13, 2 / 13, 2 / 13], abs=0.01)
    assert notes["negatives_dropped"] == []
    assert notes["users_without_outfits"] == {"train": 0, "valid": 0, "test": 0}


def test_resplit_drops_negatives_that_some_positives_lack() -> None:
    splits = {
        "train": split_of(30, 2),
        "valid": Split(split_of(30, 2, start=30).positives),
        "test": split_of(30, 2, start=60),
    }
    made, notes = resplit(splits, SHARES, 0)
    assert all(not split.negatives for split in made.values())
    assert notes["negatives_dropped"] == ["random"]


def test_resplit_keeps_the_questions_of_its_test_positives() -> None:
    old = {name: split_of(60, 3, start=60 * k) for k, name in enumerate(("train", "valid", "test"))}
    positives = old["test"].positives
    wrong = positives.outfits.items.clone()
    wrong[:, 2] += 1000
    asked = torch.stack([positives.outfits.items, wrong], dim=1).reshape(-1, 3)
    test = Split(positives, old["test"].negatives, Questions(positives.users, outfits(asked), 2))
    made, notes = resplit(old | {"test": test}, SHARES, 0)
    questions = made["test"].questions
    assert questions is not None
    known = {tuple(row) for row in made["test"].positives.outfits.items.tolist()}
    right = [tuple(row) for row in questions.outfits.items[::2].tolist()]
    assert right == [tuple(row) for row in positives.outfits.items.tolist() if tuple(row) in known]
    assert 0 < len(right) < 60
    assert notes["questions_dropped"] == 60 - len(right)
    assert (questions.outfits.items[1::2] - questions.outfits.items[::2]).tolist() == [[0, 0, 1000]] * len(right)


def test_resplit_refuses_an_empty_part() -> None:
    splits = {"train": Split(rows([0, 0], [[1, 2], [2, 3]])), "test": Split(rows([0], [[3, 4]]))}
    with pytest.raises(DataError, match="no outfit for test"):
        resplit(splits, (9, 2), 0)


@given(st.integers(2, 60), st.integers(1, 8), st.integers(0, 5))
@settings(max_examples=40)
def test_halves_are_disjoint_and_cover_all(count: int, users: int, seed: int) -> None:
    split = split_of(count, users)
    teacher, student = halve(split, seed)
    mine, other = (half.positives.outfits.items[:, 0].tolist() for half in (teacher, student))
    assert sorted(mine + other) == [3 * k for k in range(count)]
    assert len(mine) - len(other) in (0, 1)
    assert all(a < b for half in (mine, other) for a, b in pairwise(half))
    for half in (teacher, student):
        check_negatives(half, 3)
    for user in range(users):
        has = [int((half.positives.users == user).sum()) for half in (teacher, student)]
        assert abs(has[0] - has[1]) <= 1
    again = halve(split, seed)[0]
    assert again.positives.outfits.items.equal(teacher.positives.outfits.items)


def test_halves_depend_on_the_seed() -> None:
    split = split_of(60, 4)
    assert halve(split, 0)[0].positives.outfits.items.tolist() != halve(split, 1)[0].positives.outfits.items.tolist()


def test_one_outfit_cannot_be_halved() -> None:
    with pytest.raises(DataError, match="cannot be halved"):
        halve(split_of(1, 1), 0)
