"""Outfits with empty slots among their items, for property tests."""

from collections.abc import Sequence

from hypothesis import strategies as st

WIDTH = 5
Outfit = list[int]


def placed(items: Sequence[int], empty: Sequence[int]) -> Outfit:
    """Items with empty slots among them."""
    outfit = list(items)
    for place in empty:
        outfit.insert(place, -1)
    return (outfit + [-1] * WIDTH)[:WIDTH]


def padded(items: int) -> st.SearchStrategy[Outfit]:
    """One to four of so many items."""
    single = st.lists(st.integers(0, items - 1), min_size=1, max_size=4, unique=True)
    return st.builds(placed, single, st.lists(st.integers(0, 4), max_size=1))
