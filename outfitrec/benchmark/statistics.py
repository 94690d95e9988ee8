"""What can be said of values found over seeds and users: intervals, tests, and how far two orders agree."""

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, stdev

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from outfitrec.benchmark.tables import Comparison, Spread

CONFIDENCE = 0.95
RESAMPLES = 2_999
# Differences that are drawn at once: 8 MiB of them.
DRAWN = 2**20
# Digits after the point that differences are known to.
DIGITS = 12
# Users whose signs are gone through, in 8,192 ways.
FEW = 13


def spread(values: Iterable[float]) -> Spread:
    """Mean, deviation and 95 % interval of the mean.

    Args:
        values: One or more, finite.

    Raises:
        ValueError: There are none.
    """
    values = tuple(values)
    if not values:
        raise ValueError("a spread is of one value at least")
    mean = fmean(values)
    if len(values) == 1:
        return Spread(values, mean, None, None, None)
    deviation = stdev(values)
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)) * deviation / math.sqrt(len(values))
    return Spread(values, mean, deviation, mean - half, mean + half)


def mean_over_seeds(seeds: Iterable[Mapping[int, float]]) -> dict[int, float]:
    """Of each user the mean over the seeds in which it has a value; users without one are left out.

    Args:
        seeds: Of each seed the value of each user; what is not finite is none.
    """
    found: dict[int, list[float]] = {}
    for values in seeds:
        for user, value in values.items():
            if math.isfinite(value):
                found.setdefault(user, []).append(value)
    return {user: fmean(some) for user, some in found.items()}


def paired(mine: Mapping[int, float], other: Mapping[int, float], seed: int = 0) -> Comparison | None:
    """Two rows compared by user.

    The test is Wilcoxon's signed-rank test. Users with equal values are ranked with the others before they leave the
    sum of ranks (Pratt): dropped first, they would leave a few users who differ to speak for all. The interval is that
    of the mean difference over users, by bootstrap percentiles.

    Args:
        mine: Value of each user, about 0 to 1.
        other: The same of the row that it is compared with.
        seed: Of the bootstrap.

    Returns:
        The comparison, of a family of its own (see `holm`) and without the other's name; None where no user has a
        finite value in both.

    Reference:
        Pratt, Remarks on zeros and ties in the Wilcoxon signed rank procedures, 1959.
        Efron and Tibshirani, An introduction to the bootstrap, 1993, chapter 13.
    """
    # In order, so that what is drawn does not depend on who is told first.
    users = sorted(user for user in mine if math.isfinite(mine[user]) and math.isfinite(other.get(user, math.nan)))
    if not users:
        return None
    # Rounded, so that equal differences share a rank, and none is none, whatever became of the last digits of means.
    difference = np.array([mine[user] - other[user] for user in users]).round(DIGITS)
    p = _signed_rank_test(difference)
    mean = fmean(difference)
    low, high = mean, mean
    if difference.min() < difference.max():
        low, high = stats.bootstrap(
            (difference,),
            np.mean,
            n_resamples=RESAMPLES,
            batch=max(1, DRAWN // len(users)),
            vectorized=True,
            confidence_level=CONFIDENCE,
            method="percentile",
            random_state=np.random.default_rng(seed),
        ).confidence_interval
    return Comparison("", len(users), mean, float(low), float(high), p, p)


def _signed_rank_test(difference: NDArray[np.float64]) -> float:
    if not difference.any():
        return 1.0
    if not 1 < len(difference) <= FEW:
        return float(stats.wilcoxon(difference, zero_method="pratt").pvalue)
    # So few are tested by going through all signs, as scipy does where ranks are shared, but there it takes seconds.
    ranks = np.sign(difference) * stats.rankdata(np.abs(difference))
    test = stats.permutation_test((ranks,), np.sum, permutation_type="samples", vectorized=True, n_resamples=2**FEW)
    return float(test.pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p of several tests, in their order, corrected so that the chance of any false finding stays as it was.

    Reference:
        Holm, A simple sequentially rejective multiple test procedure, 1979.
    """
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1)
    return [float(one) for one in corrected]


def kendall(mine: Sequence[float], other: Sequence[float]) -> float | None:
    """Kendall's tau (b, with ties) of two rankings, -1 to 1; None of fewer than two values, or where all are equal."""
    if len(set(mine)) < 2 or len(set(other)) < 2:
        return None
    return float(stats.kendalltau(mine, other).statistic)
