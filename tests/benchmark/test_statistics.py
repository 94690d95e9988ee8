import itertools
import math
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from outfitrec.benchmark.statistics import holm, kendall, mean_over_seeds, paired, spread
from outfitrec.benchmark.tables import Comparison

numbers = st.floats(-1, 1).map(lambda value: round(value, 6))
samples = st.lists(numbers, min_size=2, max_size=8)
p_values = st.lists(st.floats(0, 1), max_size=12)


def compared(differences: list[float] | np.ndarray, seed: int = 0) -> Comparison:
    """Rows that differ by this much, user by user."""
    mine = {user: 0.5 + float(one) for user, one in enumerate(differences)}
    found = paired(mine, dict.fromkeys(mine, 0.5), seed)
    assert found is not None
    return found


def test_an_interval_is_the_one_computed_by_hand() -> None:
    # Deviation 1; of two degrees of freedom t is 4.30265, over the root of three values.
    found = spread([1.0, 2.0, 3.0])
    assert (found.values, found.mean, found.deviation) == ((1.0, 2.0, 3.0), 2.0, 1.0)
    assert [found.low, found.high] == pytest.approx([2 - 2.484138, 2 + 2.484138], abs=1e-6)


@given(samples)
def test_an_interval_is_that_of_a_t_test(values: list[float]) -> None:
    found = spread(values)
    assert found.deviation == pytest.approx(np.std(values, ddof=1), abs=1e-12)
    if max(values) - min(values) > 1e-3:
        interval = stats.ttest_1samp(values, 0).confidence_interval(0.95)
        assert [found.low, found.high] == pytest.approx([interval.low, interval.high])


def test_one_value_has_no_deviation_and_equal_ones_have_none_to_speak_of() -> None:
    one = spread([0.3])
    assert (one.mean, one.deviation, one.low, one.high) == (0.3, None, None, None)
    same = spread([0.3, 0.3, 0.3])
    assert (same.deviation, same.low, same.high) == (0.0, same.mean, same.mean)
    with pytest.raises(ValueError, match="one value at least"):
        spread([])


@given(st.lists(st.dictionaries(st.integers(0, 5), st.one_of(numbers, st.just(math.nan)), max_size=6), max_size=4))
def test_a_user_has_the_mean_of_the_seeds_with_a_value(seeds: list[dict[int, float]]) -> None:
    found = mean_over_seeds(seeds)
    for user in range(6):
        values = [one[user] for one in seeds if user in one and not math.isnan(one[user])]
        assert (user in found) == bool(values)
        if values:
            assert found[user] == pytest.approx(np.nanmean(values))


def enumerated(differences: list[float]) -> float:
    """Pratt's signed-rank test by going through all signs."""
    sizes = [abs(one) for one in differences]
    ranks = [sum(other < one for other in sizes) + (1 + sum(other == one for other in sizes)) / 2 for one in sizes]
    counted = [(rank, one > 0) for rank, one in zip(ranks, differences, strict=True) if one != 0]
    here = sum(rank for rank, above in counted if above)
    sums = [
        sum(rank for (rank, _), sign in zip(counted, signs, strict=True) if sign)
        for signs in itertools.product((False, True), repeat=len(counted))
    ]
    above = sum(one >= here - 1e-9 for one in sums) / len(sums)
    below = sum(one <= here + 1e-9 for one in sums) / len(sums)
    return min(1.0, 2 * min(above, below))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from([-0.4, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3]), min_size=1, max_size=9))
def test_p_of_few_users_is_that_of_all_signs(differences: list[float]) -> None:
    assert compared(differences).p == pytest.approx(enumerated(differences))


@pytest.mark.parametrize("users", [5, 13, 14, 40, 630])
def test_p_is_scipys(users: int) -> None:
    differences = np.random.default_rng(0).normal(0.01, 0.1, users).round(6)
    assert compared(differences).p == pytest.approx(stats.wilcoxon(differences, zero_method="pratt").pvalue)


def test_a_row_does_not_differ_from_itself() -> None:
    for users in (1, 2, 40, 630):
        same = dict(enumerate(np.random.default_rng(users).uniform(size=users).tolist()))
        assert paired(same, same) == Comparison("", users, 0.0, 0.0, 0.0, 1.0, 1.0)


def test_what_comes_of_rounding_is_no_difference() -> None:
    mine, other = {1: 0.1 + 0.2, 2: 0.7}, {1: 0.3, 2: 0.7}
    assert mine[1] != other[1]
    assert paired(mine, other) == Comparison("", 2, 0.0, 0.0, 0.0, 1.0, 1.0)


@pytest.mark.parametrize("users", [1, 2, 3, 10])
def test_a_constant_difference_has_an_interval_of_its_own(users: int) -> None:
    found = compared([0.25] * users)
    assert (found.difference, found.low, found.high) == (0.25, 0.25, 0.25)
    # Of all signs two are as far from even.
    assert found.p == pytest.approx(2 / 2**users)


@settings(max_examples=50, deadline=None)
@given(samples)
def test_numbers_are_finite_and_the_interval_is_about_the_mean(differences: list[float]) -> None:
    found = compared(differences)
    assert all(map(math.isfinite, (found.difference, found.low, found.high, found.p)))
    assert min(differences) - 1e-9 <= found.low <= found.difference + 1e-9
    assert found.difference - 1e-9 <= found.high <= max(differences) + 1e-9
    assert 0 < found.p <= 1
    assert found.difference == pytest.approx(fmean(differences), abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(samples)
def test_the_other_way_round_everything_has_the_other_sign(differences: list[float]) -> None:
    mine, other = dict(enumerate(differences)), dict.fromkeys(range(len(differences)), 0.1)
    one, back = paired(mine, other), paired(other, mine)
    assert one is not None
    assert back is not None
    assert back.difference == pytest.approx(-one.difference)
    assert [back.low, back.high] == pytest.approx([-one.high, -one.low], abs=1e-9)
    assert back.p == pytest.approx(one.p)


def test_users_without_a_value_in_both_are_left_out() -> None:
    mine = {1: 0.5, 2: math.nan, 3: 0.7, 4: 0.1, 6: 0.2}
    other = {1: 0.4, 2: 0.5, 3: 0.9, 4: math.inf, 5: 0.3}
    found = paired(mine, other)
    assert found is not None
    assert found.users == 2
    assert found.difference == pytest.approx(-0.05)
    assert paired({1: 0.5}, {2: 0.5}) is None
    assert paired({1: math.nan}, {1: 0.5}) is None
    assert paired({}, {}) is None


def test_the_order_of_users_does_not_matter_and_the_seed_does() -> None:
    values = dict(enumerate(np.random.default_rng(3).normal(0, 0.1, 25).tolist()))
    zero = dict.fromkeys(values, 0.0)
    found = paired(values, zero)
    assert found == paired(dict(reversed(values.items())), zero)
    other = paired(values, zero, seed=1)
    assert found is not None
    assert other is not None
    assert found.p == other.p
    assert found.low == pytest.approx(other.low, abs=3e-3)
    assert found.low != other.low


def test_the_interval_is_that_of_a_naive_bootstrap() -> None:
    differences = np.random.default_rng(5).exponential(0.1, 60)
    draws = np.random.default_rng(17)
    means = [float(draws.choice(differences, 60).mean()) for _ in range(4_000)]
    found = compared(differences)
    assert [found.low, found.high] == pytest.approx(np.quantile(means, [0.025, 0.975]), rel=0.03)


def test_the_interval_holds_the_truth_and_the_test_is_wrong_as_often_as_they_say() -> None:
    draws = np.random.default_rng(0)
    trials = 400
    found = [compared(draws.normal(0, 0.1, 50)) for _ in range(trials)]
    # Four deviations of the share are 0.044; the percentile interval of fifty users is a little narrow.
    assert 0.90 < sum(one.low <= 0 <= one.high for one in found) / trials < 0.98
    assert 0.01 < sum(one.p < 0.05 for one in found) / trials < 0.09


def rejected(p: list[float], level: float) -> set[int]:
    """Holm's procedure as it is told: step by step from the smallest p, until one is not small enough."""
    left = sorted(range(len(p)), key=lambda index: p[index])
    found: set[int] = set()
    while left and p[left[0]] * len(left) <= level:
        found.add(left.pop(0))
    return found


@given(p_values, st.floats(0.001, 0.999))
def test_holm_rejects_what_the_procedure_rejects(p: list[float], level: float) -> None:
    assert {index for index, one in enumerate(holm(p)) if one <= level} == rejected(p, level)


@given(p_values)
def test_holm_lies_between_p_and_bonferroni_and_keeps_the_order(p: list[float]) -> None:
    found = holm(p)
    for one, corrected in zip(p, found, strict=True):
        assert one <= corrected <= min(1.0, one * len(p))
    for (one, mine), (other, its) in itertools.combinations(zip(p, found, strict=True), 2):
        assert (one <= other) <= (mine <= its)
        assert (one == other) <= (mine == its)


def test_holm_of_an_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=9))
def test_kendalls_tau_counts_pairs(points: list[tuple[int, int]]) -> None:
    mine, other = [float(one) for one, _ in points], [float(two) for _, two in points]
    pairs = list(itertools.combinations(points, 2))
    signs = [(one[0] - two[0]) * (one[1] - two[1]) for one, two in pairs]
    above, below = sum(sign > 0 for sign in signs), sum(sign < 0 for sign in signs)
    differing = [sum(one[side] != two[side] for one, two in pairs) for side in (0, 1)]
    if 0 in differing:
        assert kendall(mine, other) is None
    else:
        assert kendall(mine, other) == pytest.approx((above - below) / math.sqrt(differing[0] * differing[1]))


def test_kendalls_tau_of_one_value_is_none() -> None:
    assert kendall([1.0], [1.0]) is None
    assert kendall([], []) is None
