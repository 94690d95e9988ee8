import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors
from torch import Generator, Tensor

from outfitrec.core import nearest as module
from outfitrec.core.errors import DataError
from outfitrec.core.nearest import Search, by_faiss, by_products, has_faiss, nearest
from outfitrec.core.neighbours import ABSENT

SEARCHES = [
    by_products,
    pytest.param(by_faiss, marks=pytest.mark.skipif(not has_faiss(), reason="faiss is not installed")),
]
both = pytest.mark.parametrize("search", SEARCHES)
seeds = st.integers(0, 2**32 - 1)


def drawn(items: int, size: int = 16, categories: int = 3, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Features and categories."""
    draws = Generator().manual_seed(seed)
    return torch.randn(items, size, generator=draws), torch.randint(categories, (items,), generator=draws)


def cosine(a: Tensor, b: Tensor) -> float:
    one, other = a.double().numpy(), b.double().numpy()
    length = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / length if length else 0.0


@both
@given(
    st.integers(1, 40),
    st.integers(1, 6),
    st.integers(1, 5),
    st.integers(1, 12),
    st.integers(1, 50),
    st.sampled_from([0.0, 0.5, 1.0]),
    seeds,
)
def test_neighbours_are_those_of_a_naive_loop(
    search: Search, items: int, size: int, categories: int, count: int, chunk: int, doubles: float, seed: int
) -> None:
    features, category = drawn(items, size, categories, seed)
    draws = Generator().manual_seed(seed)
    # Some items look exactly like another, and some are not compared.
    copied = torch.rand(items, generator=draws) < doubles
    features[copied] = features[torch.randint(items, (items,), generator=draws)][copied]
    used = (torch.rand(items, generator=draws) < 0.8).nonzero().flatten()
    before = features.clone()
    table = nearest(features, category, used, count, chunk, search=search)
    assert table.shape == (items, count)
    assert torch.equal(features, before)
    for item in range(items):
        found = [other for other in table[item].tolist() if other >= 0]
        rest = table[item, len(found) :].tolist()
        if item not in used:
            assert rest == [ABSENT] * count
            continue
        others = [one for one in used.tolist() if one != item and category[one] == category[item]]
        right = sorted((cosine(features[item], features[one]) for one in others), reverse=True)[:count]
        assert rest == [-1] * (count - len(right))
        assert len(set(found)) == len(found)
        assert set(found) <= set(others)
        assert [cosine(features[item], features[one]) for one in found] == pytest.approx(right, abs=1e-5)


@both
def test_neighbours_are_those_of_scikit_learn(search: Search) -> None:
    features, category = drawn(900, 32)
    table = nearest(features, category, torch.arange(900), 10, 64, search=search)
    for one in range(3):
        members = (category == one).nonzero().flatten().numpy()
        known = NearestNeighbors(n_neighbors=10, metric="cosine", algorithm="brute")
        # Without queries, an item is no neighbour of its own.
        expected = known.fit(features[members].double().numpy()).kneighbors(return_distance=False)
        assert np.array_equal(table[members].numpy(), members[expected])


@pytest.mark.skipif(not has_faiss(), reason="faiss is not installed")
@given(st.integers(2, 300), st.integers(4, 40), st.integers(1, 20), seeds)
def test_faiss_and_products_agree(items: int, size: int, count: int, seed: int) -> None:
    features, category = drawn(items, size, 3, seed)
    tables = [nearest(features, category, torch.arange(items), count, search=one) for one in (by_faiss, by_products)]
    for item, (one, other) in enumerate(zip(*tables, strict=True)):
        if not torch.equal(one, other):
            # They round differently: what is as near as can be told may change places.
            near = [[cosine(features[item], features[k]) for k in row.tolist() if k >= 0] for row in (one, other)]
            assert near[0] == pytest.approx(near[1], abs=1e-6)


@both
@pytest.mark.parametrize("count", [3, 11, 12, 30])
def test_items_that_look_the_same_are_neighbours_and_never_their_own(search: Search, count: int) -> None:
    features = torch.cat([torch.randn(8), torch.ones(8)]).view(2, 8).repeat_interleave(12, dim=0)
    table = nearest(features, torch.zeros(24, dtype=torch.long), torch.arange(24), count, search=search)
    for item in range(24):
        found = [other for other in table[item].tolist() if other >= 0]
        assert len(found) == len(set(found)) == min(count, 23)
        assert item not in found
        # First the doubles, those of lower index before the others.
        doubles, others = found[:11], found[11:]
        assert all(other // 12 == item // 12 for other in doubles)
        assert all(other // 12 != item // 12 for other in others)
        assert doubles == sorted(doubles)
        assert others == sorted(others)


@both
def test_an_item_alone_in_its_category_has_no_neighbour(search: Search) -> None:
    features = torch.randn(4, 5)
    table = nearest(features, torch.tensor([0, 1, 2, 1]), torch.tensor([0, 1, 2, 3]), 2, search=search)
    assert table.tolist() == [[-1, -1], [3, -1], [-1, -1], [1, -1]]
    table = nearest(features, torch.tensor([0, 1, 2, 1]), torch.tensor([0, 1]), 2, search=search)
    assert table.tolist() == [[-1, -1], [-1, -1], [ABSENT, ABSENT], [ABSENT, ABSENT]]


@both
def test_length_does_not_count(search: Search) -> None:
    features, category = drawn(60)
    longer = features * torch.rand(60, 1).add(0.1) * 1e4
    tables = [nearest(one, category, torch.arange(60), 5, search=search) for one in (features, longer)]
    assert torch.equal(*tables)


@both
def test_the_order_of_the_items_and_the_chunks_change_nothing(search: Search) -> None:
    features, category = drawn(300)
    used = torch.randperm(300)[:200]
    first = nearest(features, category, used, 7, search=search)
    assert torch.equal(first, nearest(features, category, used.sort().values, 7, search=search))
    assert torch.equal(first, nearest(features, category, used, 7, 13, search=search))
    assert torch.equal(first, nearest(features.double(), category, used, 7, search=search))


def test_no_items_give_a_table_without_any() -> None:
    features, category = drawn(3)
    assert (nearest(features, category, torch.empty(0, dtype=torch.long), 2) == ABSENT).all()


@both
@pytest.mark.parametrize("wrong", [torch.nan, torch.inf])
def test_features_that_are_not_finite_are_refused_where_they_are_read(search: Search, wrong: float) -> None:
    features, category = drawn(20)
    features[7, 2] = wrong
    with pytest.raises(DataError, match="not all finite"):
        nearest(features, category, torch.arange(20), 3, search=search)
    others = torch.arange(20)[torch.arange(20) != 7]
    assert (nearest(features, category, others, 3, search=search)[7] == ABSENT).all()


@pytest.mark.parametrize(("count", "chunk"), [(0, 8), (-1, 8), (3, 0)])
def test_numbers_below_one_are_refused(count: int, chunk: int) -> None:
    with pytest.raises(ValueError, match="must be at least 1"):
        nearest(*drawn(4), torch.arange(4), count, chunk)


@pytest.mark.parametrize("installed", [True, False])
def test_faiss_is_taken_where_it_is_installed(monkeypatch: pytest.MonkeyPatch, installed: bool) -> None:
    taken: list[str] = []

    def named(name: str) -> Callable[..., Tensor]:
        def search(rows: Tensor, count: int, chunk: int = 1) -> Tensor:
            taken.append(name)
            return by_products(rows, count, chunk)

        return search

    monkeypatch.setattr(sys, "platform", "linux")
    # With None in its place a module cannot be imported.
    fake: Any = module if installed else None
    monkeypatch.setitem(sys.modules, "faiss", fake)
    monkeypatch.setattr(module, "by_faiss", named("faiss"))
    monkeypatch.setattr(module, "by_products", named("products"))
    nearest(*drawn(9, categories=1), torch.arange(9), 2)
    assert taken == ["faiss" if installed else "products"]
    # There torch and faiss do not go together.
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not has_faiss()


@pytest.mark.skipif(not has_faiss(), reason="faiss is not installed")
@pytest.mark.parametrize("order", ["torch, faiss", "faiss, torch"])
def test_faiss_and_torch_work_in_one_process(order: str) -> None:
    code = f"""
import {order}
torch.set_num_threads(2)
faiss.omp_set_num_threads(2)
from outfitrec.core.nearest import by_faiss, by_products
rows = torch.nn.functional.normalize(torch.randn(500, 16, generator=torch.Generator().manual_seed(0)))
same = [(by_faiss(rows, 5) == by_products(rows, 5)).all().item() for _ in range(3)]
assert same == [True] * 3, same
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
