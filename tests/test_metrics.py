import itertools
import math
from collections.abc import Iterator
from statistics import fmean

import jaxtyping
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score, roc_auc_score
from torch import Generator, Tensor

from outfitrec.plugins.metrics.auc import AUC
from outfitrec.plugins.metrics.hit_rate import HitRate
from outfitrec.plugins.metrics.ndcg import NDCG
from outfitrec.plugins.metrics.ndcg_at import NDCGAt
from outfitrec.protocols import Metric

METRICS: list[Metric] = [AUC(), NDCG(), NDCGAt(), NDCGAt(k=3), HitRate(), HitRate(k=1), HitRate(k=3)]
# Of few scores, so that there are many ties; users near, far, negative, and beyond 16 bits.
tables = st.lists(
    st.tuples(st.sampled_from([-70_000, -3, 0, 1, 40_000]), st.integers(-2, 2), st.booleans()), max_size=20
)
Table = list[tuple[int, int, bool]]


@pytest.fixture
def unchecked() -> Iterator[None]:
    """The package as it is for users, without the test session's checks of shapes."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def tensors(table: Table, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor, Tensor]:
    return (
        torch.tensor([row[1] for row in table], dtype=dtype),
        torch.tensor([row[2] for row in table], dtype=torch.bool),
        torch.tensor([row[0] for row in table], dtype=torch.long),
    )


def one_user(positive: list[float], negative: list[float]) -> tuple[Tensor, Tensor, Tensor]:
    scores = torch.tensor(positive + negative, dtype=torch.float64)
    return scores, torch.arange(len(scores)) < len(positive), torch.zeros(len(scores), dtype=torch.long)


def mean_over_ranks(labels: list[bool]) -> float:
    """The paper's NDCG of labels in order of rank."""

    def dcg(labels: list[bool]) -> float:
        return sum(label / math.log2(max(k, 2)) for k, label in enumerate(labels, start=1))

    ideal = sorted(labels, reverse=True)
    return fmean(dcg(labels[:m]) / dcg(ideal[:m]) for m in range(1, len(labels) + 1))


def orders(rows: list[tuple[int, bool]]) -> Iterator[list[bool]]:
    """The labels by rank, in every order of equal scores."""
    groups = [[label for s, label in rows if s == score] for score in sorted({s for s, _ in rows}, reverse=True)]
    for chosen in itertools.product(*(itertools.permutations(group) for group in groups)):
        yield [label for group in chosen for label in group]


def by_user(table: Table) -> list[list[tuple[int, bool]]]:
    return [[row[1:] for row in table if row[0] == user] for user in sorted({row[0] for row in table})]


@pytest.mark.parametrize(
    ("positive", "negative", "auc", "ndcg"),
    [([0.9, 0.2], [0.5, 0.1, 0.3], 2 / 3, 0.7), ([0.1], [0.9, 0.8, 0.7], 0.0, 0.125)],
)
def test_figures_of_the_original_code(positive: list[float], negative: list[float], auc: float, ndcg: float) -> None:
    assert AUC()(*one_user(positive, negative)).tolist() == pytest.approx([auc], abs=1e-15)
    assert NDCG()(*one_user(positive, negative)).tolist() == pytest.approx([ndcg], abs=1e-14)


def test_figures_of_the_original_code_for_both_users() -> None:
    scores = torch.tensor([0.9, 0.2, 0.5, 0.1, 0.3, 0.1, 0.9, 0.8, 0.7])
    relevant = torch.tensor([1, 1, 0, 0, 0, 1, 0, 0, 0]).bool()
    user = torch.tensor([0] * 5 + [1] * 4)
    assert AUC()(scores, relevant, user).mean().item() == pytest.approx(1 / 3)
    assert NDCG()(scores, relevant, user).mean().item() == pytest.approx(0.4125)


def test_figures_of_the_original_code_for_a_long_list() -> None:
    scores = torch.from_numpy(np.random.default_rng(7).standard_normal(44))
    rows = scores, torch.arange(44) < 4, torch.zeros(44, dtype=torch.long)
    assert AUC()(*rows).item() == pytest.approx(0.56875, abs=1e-15)
    assert NDCG()(*rows).item() == pytest.approx(0.20345521590776414, abs=1e-14)


@given(tables)
def test_auc_is_scikit_learns(table: Table) -> None:
    for value, rows in zip(AUC()(*tensors(table)).tolist(), by_user(table), strict=True):
        scores, labels = zip(*rows, strict=True)
        if len(set(labels)) == 2:
            assert value == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
        else:
            assert math.isnan(value)


@given(tables, st.integers(1, 12))
def test_ndcg_at_k_is_scikit_learns(table: Table, k: int) -> None:
    for value, rows in zip(NDCGAt(k=k)(*tensors(table)).tolist(), by_user(table), strict=True):
        scores, labels = zip(*rows, strict=True)
        if not any(labels):
            assert math.isnan(value)
        elif len(rows) > 1:
            assert value == pytest.approx(ndcg_score([labels], [scores], k=k), abs=1e-12)
        else:
            assert value == 1


@given(tables.filter(lambda table: all(len(rows) <= 6 for rows in by_user(table))), st.integers(1, 7))
def test_ndcg_and_hit_rate_are_means_over_the_orders_of_ties(table: Table, k: int) -> None:
    ndcg, hits = NDCG()(*tensors(table)).tolist(), HitRate(k=k)(*tensors(table)).tolist()
    for mean, hit, rows in zip(ndcg, hits, by_user(table), strict=True):
        if any(label for _, label in rows):
            assert mean == pytest.approx(fmean(map(mean_over_ranks, orders(rows))), abs=1e-12)
            assert hit == pytest.approx(fmean(any(labels[:k]) for labels in orders(rows)), abs=1e-12)
        else:
            assert math.isnan(mean)
            assert math.isnan(hit)


def test_ndcg_of_long_lists_is_that_of_a_naive_loop() -> None:
    generator = Generator().manual_seed(3)
    scores = torch.randn(900, generator=generator, dtype=torch.float64)
    relevant = torch.rand(900, generator=generator) < torch.linspace(0.02, 0.9, 900)
    user = torch.arange(900) // 300
    for k, value in enumerate(NDCG()(scores, relevant, user).tolist()):
        mine = user == k
        order = scores[mine].argsort(descending=True)
        assert value == pytest.approx(mean_over_ranks(relevant[mine][order].tolist()), abs=1e-12)


def test_hit_rate_of_a_large_tie_is_hypergeometric() -> None:
    scores = torch.cat([torch.ones(4), torch.zeros(500)])
    relevant = torch.arange(504) >= 484
    value = HitRate(k=10)(scores, relevant, torch.zeros(504, dtype=torch.long))
    assert value.item() == pytest.approx(1 - math.comb(480, 6) / math.comb(500, 6), abs=1e-13)


def test_a_constant_scorer_is_no_better_than_chance() -> None:
    scores, relevant, user = torch.zeros(6), torch.arange(6) < 2, torch.zeros(6, dtype=torch.long)
    assert AUC()(scores, relevant, user).item() == 0.5
    assert NDCG()(scores, relevant, user).item() == pytest.approx(
        fmean(map(mean_over_ranks, itertools.permutations([True] * 2 + [False] * 4)))  # type: ignore[arg-type]  # a tuple does as well
    )
    assert HitRate(k=1)(scores, relevant, user).item() == pytest.approx(1 / 3)


@given(tables, st.randoms(use_true_random=False), st.sampled_from(METRICS))
def test_the_order_of_rows_has_no_influence(table: Table, random: "np.random.RandomState", metric: Metric) -> None:
    shuffled = list(table)
    random.shuffle(shuffled)
    torch.testing.assert_close(metric(*tensors(shuffled)), metric(*tensors(table)), rtol=0, atol=1e-12, equal_nan=True)


@given(tables, st.sampled_from(METRICS), st.sampled_from([torch.float64, torch.bfloat16, torch.float16]))
def test_only_the_order_of_scores_counts(table: Table, metric: Metric, dtype: torch.dtype) -> None:
    scores, relevant, user = tensors(table, dtype)
    expected = metric(*tensors(table))
    assert expected.dtype == torch.float64
    for monotone in (scores, scores.exp(), scores**3 * 7 - 2, scores.float() * 1e30, scores / 0.03):
        torch.testing.assert_close(metric(monotone, relevant, user), expected, rtol=0, atol=0, equal_nan=True)


@given(tables, st.sampled_from(METRICS), st.integers(-(2**40), 2**40))
def test_users_are_values_in_ascending_order_of_any_indices(table: Table, metric: Metric, shift: int) -> None:
    scores, relevant, user = tensors(table)
    expected = metric(scores, relevant, user)
    torch.testing.assert_close(metric(scores, relevant, user + shift), expected, rtol=0, atol=0, equal_nan=True)
    torch.testing.assert_close(metric(scores, relevant, -user), expected.flip(0), rtol=0, atol=0, equal_nan=True)
    torch.testing.assert_close(metric(scores, relevant, user.int()), expected, rtol=0, atol=0, equal_nan=True)
    small = (user % 7).short()
    torch.testing.assert_close(
        metric(scores, relevant, small), metric(scores, relevant, small.long()), rtol=0, atol=0, equal_nan=True
    )


@pytest.mark.parametrize("metric", METRICS)
def test_infinite_scores_rank_and_zeros_of_either_sign_tie(metric: Metric) -> None:
    relevant, user = torch.tensor([1, 0, 1, 0, 0, 1]).bool(), torch.zeros(6, dtype=torch.long)
    infinite = torch.tensor([math.inf, math.inf, 0.0, -0.0, -math.inf, -math.inf])
    assert torch.equal(metric(infinite, relevant, user), metric(torch.tensor([2.0, 2, 1, 1, 0, 0]), relevant, user))


def test_undefined_values_are_nan() -> None:
    rows = tensors([(0, 1, True), (0, 2, True), (1, 1, False), (1, 2, False)])
    assert AUC()(*rows).isnan().tolist() == [True, True]
    for metric in METRICS[1:]:
        values = metric(*rows)
        assert values[0] == 1
        assert values[1].isnan()


@pytest.mark.parametrize("metric", METRICS)
def test_no_rows_give_no_values(metric: Metric) -> None:
    assert metric(*tensors([])).shape == (0,)


@pytest.mark.parametrize("metric", METRICS)
def test_nan_scores_are_refused(metric: Metric) -> None:
    scores, relevant, user = tensors([(0, 1, True), (0, 2, False), (1, 1, False)])
    scores[1:] = math.nan
    with pytest.raises(ValueError, match="2 of 3 scores are NaN"):
        metric(scores, relevant, user)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("metric", METRICS)
def test_a_gpu_gives_the_same_values(metric: Metric, dtype: torch.dtype) -> None:
    generator = Generator().manual_seed(2)
    scores = torch.randint(0, 30, (2000,), generator=generator).to(dtype)
    rows = scores, torch.rand(2000, generator=generator) < 0.2, torch.randint(0, 40, (2000,), generator=generator)
    values = metric(*(part.to("cuda") for part in rows))
    assert values.is_cuda
    torch.testing.assert_close(values.cpu(), metric(*rows), rtol=0, atol=1e-12, equal_nan=True)


@pytest.mark.usefixtures("unchecked")
def test_shapes_and_types_that_do_not_fit_are_refused() -> None:
    scores, relevant, user = tensors([(0, 1, True), (0, 2, False), (1, 1, False)])
    with pytest.raises(ValueError, match=r"must be boolean, not torch\.int64"):
        AUC()(scores, relevant.long(), user)
    with pytest.raises(ValueError, match=r"not \(3,\), \(3,\), \(1,\)"):
        AUC()(scores, relevant, user[:1])
    with pytest.raises(ValueError, match=r"of one shape \[n\]"):
        AUC()(scores[None], relevant[None], user[None])


def test_scores_may_carry_a_gradient() -> None:
    scores, relevant, user = tensors([(0, 1, True), (0, 2, False), (0, 0, False)])
    assert AUC()(scores.requires_grad_(), relevant, user).tolist() == [0.5]


def test_labels_name_the_metric() -> None:
    assert [metric.label for metric in METRICS] == [
        "auc", "ndcg", "ndcg@10", "ndcg@3", "hit_rate@10", "hit_rate@1", "hit_rate@3",
    ]  # fmt: skip
    assert all(metric.higher_is_better for metric in METRICS)
    with pytest.raises(ValueError, match="k must be ≥ 1"):
        NDCGAt(k=0)
