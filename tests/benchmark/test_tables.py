import math
from collections import Counter
from collections.abc import Sequence
from statistics import fmean

import attrs
import numpy as np
import pytest
from found import ALPHA, AUC, NDCG, entry, suite, table_of, values_of
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from outfitrec.benchmark.compare import tables
from outfitrec.benchmark.entries import ABSENT, Entry
from outfitrec.benchmark.measures import EFFICIENCY, Figure, metric
from outfitrec.benchmark.settings import ColumnSettings, PaperSettings, Suite
from outfitrec.benchmark.statistics import holm, paired, spread
from outfitrec.core.settings import changed

LATENCY = next(one for one in EFFICIENCY if one.name == "latency")
protocols = st.sampled_from(["one", "two", "three", ""])


def tastes(*shifts: float, users: int = 30, seed: int = 0) -> list[list[float]]:
    """Values of users in several rows, alike but for a shift and a little chance."""
    draws = np.random.default_rng(seed)
    base = draws.uniform(0.4, 0.6, users)
    return [[float(one) for one in base + shift + draws.normal(0, 0.01, users)] for shift in shifts]


def papers(**figures: dict[str, float]) -> PaperSettings:
    """The paper's figures of the one column, by row."""
    return PaperSettings(figures={row: {"all": one} for row, one in figures.items()})


def test_a_value_is_the_spread_over_seeds() -> None:
    found = table_of(
        suite(["a", "b"]), [entry(row, auc, seed=seed) for row in "ab" for seed, auc in enumerate((0.7, 0.75, 0.9))]
    )
    assert [(line.row, line.point) for line in found.lines] == [("a", ()), ("b", ())]
    assert values_of(found)["a"].spread == spread([0.7, 0.75, 0.9])
    assert (found.title, found.protocols, found.seeds) == ("made", {"all": "one"}, (0, 1, 2))


def test_a_single_run_that_was_measured_several_times_has_the_spread_of_these() -> None:
    figures = {"latency": (1.0, 2.0, 3.0)}
    again = {"latency": (5.0, 7.0)}
    once = [entry("a", values=figures)]
    assert values_of(table_of(suite(["a"]), once, [LATENCY]), "latency")["a"].spread == spread([1.0, 2.0, 3.0])
    twice = [*once, entry("a", values=again, seed=1)]
    # Measurements of one run are no independent runs.
    assert values_of(table_of(suite(["a"]), twice, [LATENCY]), "latency")["a"].spread == spread([2.0, 6.0])


def test_lines_are_in_the_suites_order_whatever_the_order_of_entries() -> None:
    point, other = ((ALPHA, 2.0),), ((ALPHA, {"name": "fnd"}),)
    entries = [
        entry("b", 0.5),
        entry("a", 0.5, point=point, column="y"),
        entry("a", 0.5, point=other),
        entry("a", 0.5, point=point, seed=1),
    ]
    found = table_of(suite(["a", "c", "b"], ["all", "y"]), entries)
    assert [(line.row, line.point) for line in found.lines] == [("a", point), ("a", other), ("b", ())]
    assert set(found.lines[2].values) == {("all", "auc")}


@pytest.mark.parametrize(("higher", "best"), [(True, {"b", "c"}), (False, {"a"}), (None, set())])
def test_the_best_mean_of_a_column_is_marked_and_so_are_those_alike(higher: bool | None, best: set[str]) -> None:
    figure = attrs.evolve(AUC, higher=higher)
    entries = [entry(row, auc, seed=seed) for seed in (0, 1) for row, auc in (("a", 0.2), ("b", 0.1 + 0.2), ("c", 0.3))]
    entries += [entry("d", error="it broke")]
    assert entries[1].values != entries[2].values
    found = values_of(table_of(suite("abcd"), entries, [figure]))
    assert {row for row, value in found.items() if value.best} == best


def test_columns_and_figures_have_bests_of_their_own() -> None:
    def both(row: str, auc: float, ndcg: float, column: str) -> Entry:
        return entry(row, values={"auc": (auc,), "ndcg": (ndcg,)}, column=column)

    entries = [both("a", 0.9, 0.1, "x"), both("b", 0.8, 0.2, "x"), both("a", 0.3, 0.4, "y"), both("b", 0.5, 0.3, "y")]
    found = table_of(suite("ab", "xy"), entries, [AUC, NDCG])
    marked = {(line.row, *at) for line in found.lines for at, value in line.values.items() if value.best}
    assert marked == {("a", "x", "auc"), ("b", "x", "ndcg"), ("b", "y", "auc"), ("a", "y", "ndcg")}
    assert found.columns == {"x": "x", "y": "y"}


def test_rows_are_tested_by_user_against_the_best_and_the_reference() -> None:
    users = dict(zip("abcd", tastes(0.0, 0.002, 0.02, 0.021), strict=True))
    found = values_of(table_of(suite("abcd", reference="b"), [entry(row, users=users[row]) for row in "abcd"]))
    assert [row for row, value in found.items() if value.best] == ["d"]
    for kind, other, rows in (("best_test", "d", "abc"), ("reference_test", "b", "acd")):
        alone = {row: paired(dict(enumerate(users[row])), dict(enumerate(users[other]))) for row in rows}
        corrected = holm([one.p for one in alone.values() if one])
        assert getattr(found[other], kind) is None
        for (row, one), p in zip(alone.items(), corrected, strict=True):
            assert one is not None
            assert getattr(found[row], kind) == attrs.evolve(one, other=other, holm=p)
            assert p > one.p or one.p in (max(each.p for each in alone.values() if each), 1.0)


def test_a_users_value_is_its_mean_over_seeds() -> None:
    one, two, other = tastes(0.0, 0.01, 0.05)
    entries = [entry("a", users=one), entry("a", users=two, seed=1), entry("b", users=other)]
    found = values_of(table_of(suite("ab"), entries))["a"].best_test
    means = {user: fmean(pair) for user, pair in enumerate(zip(one, two, strict=True))}
    expected = paired(means, dict(enumerate(other)))
    assert expected is not None
    assert found == attrs.evolve(expected, other="b")


def test_rows_without_users_in_common_are_not_tested() -> None:
    entries = [
        entry("a", users=[0.5, 0.6]),
        entry("b", 0.9, per_user={"auc": {7: 0.9}}),
        entry("c", 0.1),
        entry("d", users=[0.4, math.nan]),
    ]
    found = values_of(table_of(suite("abcd", reference="a"), entries))
    assert found["a"].best_test is None
    assert found["b"].reference_test is None
    assert found["c"].reference_test is None
    assert found["d"].reference_test is not None
    assert found["d"].reference_test.users == 1


def test_a_reference_is_taken_at_the_same_point_and_else_at_that_by_which_it_counts() -> None:
    low, high = ((ALPHA, 1),), ((ALPHA, 2),)
    users = tastes(0.0, 0.01, 0.02, 0.03, 0.04)
    entries = [
        entry("a", users=users[0], point=low, valid={"auc": 0.9}),
        entry("a", users=users[1], point=high, valid={"auc": 0.8}),
        entry("b", users=users[2], point=low),
        entry("b", users=users[3], point=high),
        entry("c", users=users[4]),
    ]
    found = values_of(table_of(suite("abc", reference="a"), entries))
    against = {key: value.reference_test and value.reference_test.other for key, value in found.items()}
    assert against == {"a 1": None, "a 2": None, "b 1": "a (alpha = 1)", "b 2": "a (alpha = 2)", "c": "a (alpha = 1)"}


def test_the_papers_figures_stand_beside_ours_and_the_difference_where_data_and_evaluation_are_its_own() -> None:
    made = suite("abc", paper=papers(a={"auc": 89.91}, b={"auc": 80.0}))
    entries = [
        entry("a", 0.9, papers=True),
        entry("a", 0.91, papers=True, seed=1),
        entry("a", error="it broke", seed=2),
        entry("b", 0.8, papers=True),
        entry("b", 0.8, seed=1),
        entry("c", 0.7, papers=True),
    ]
    found = values_of(table_of(made, entries))
    assert found["a"].paper == 89.91
    assert found["a"].difference == pytest.approx(90.5 - 89.91)
    assert (found["b"].paper, found["b"].difference) == (80.0, None)
    assert (found["c"].paper, found["c"].difference) == (None, None)


def test_a_table_by_another_protocol_has_no_difference_to_the_paper() -> None:
    made = suite("ab", paper=papers(a={"auc": 90.0}, b={"auc": 80.0}))
    entries = [entry("a", 0.9, papers=True), entry("b", 0.8, papers=True, protocol="two")]
    first, second = tables(made, entries, [AUC])
    assert values_of(first)["a"].difference == pytest.approx(0.0)
    assert (values_of(second)["b"].paper, values_of(second)["b"].difference) == (80.0, None)


def test_what_a_model_costs_here_has_no_difference_to_what_it_cost_the_paper() -> None:
    made = suite("a", paper=papers(a={"latency": 4.0}), measure="efficiency")
    (value,) = values_of(
        table_of(made, [entry("a", values={"latency": (0.005,)}, papers=True)], [LATENCY]), "latency"
    ).values()
    assert (value.paper, value.difference) == (4.0, None)


def test_a_run_that_serves_all_seeds_is_told_from_one_whose_seeds_failed() -> None:
    seeds = [entry("a", 0.5, seed=seed) for seed in range(3)]
    broken = [entry("b", 0.5), entry("b", error="killed", seed=1), entry("b", 0.5, seed=2)]
    found = values_of(table_of(suite("abt"), [*seeds, *broken, entry("t", 0.6)]))
    assert {row: value.shared for row, value in found.items()} == {"a": False, "b": False, "t": True}
    alone = suite("t", seeds=(0,))
    assert not values_of(table_of(alone, [entry("t", 0.6)]))["t"].shared
    elsewhere = [entry("a", 0.5), *[entry("a", 0.5, seed=seed, protocol="two") for seed in (1, 2)]]
    assert not any(values_of(table)["a"].shared for table in tables(suite("a"), elsewhere, [AUC]))


def test_repeated_measurements_of_a_single_run_lack_no_seeds() -> None:
    made = suite("a", measure="efficiency")
    (value,) = values_of(table_of(made, [entry("a", values={"latency": (1.0, 2.0)})], [LATENCY]), "latency").values()
    assert not value.shared


def test_a_line_of_several_seeds_that_learnt_from_one_run_says_so() -> None:
    teachers = {"same": ("t", "t"), "own": ("t", "u"), "none": ("", ""), "some": ("t", "")}
    entries = [
        entry(row, 0.5, seed=seed, teacher=one) for row, both in teachers.items() for seed, one in enumerate(both)
    ]
    entries += [entry("one", 0.5, teacher="t"), entry("one", error="killed", seed=1, teacher="t")]
    found = table_of(suite([*teachers, "one"], seeds=(0, 1)), entries)
    assert [line.row for line in found.lines if line.one_teacher] == ["same"]


def swept(
    valid: dict[int, Sequence[float]], test: dict[int, Sequence[float]], row: str = "a", name: str = "auc"
) -> list[Entry]:
    """A row over alphas: of each the values of its seeds."""
    return [
        entry(row, mine, point=((ALPHA, alpha),), seed=seed, valid={} if math.isnan(theirs) else {name: theirs})
        for alpha in test
        for seed, (mine, theirs) in enumerate(zip(test[alpha], valid[alpha], strict=True))
    ]


def test_a_row_with_a_sweep_counts_by_its_best_point_on_the_validation_split() -> None:
    # By the mean of seeds: the best single value is of alpha 3, the best test value of alpha 1.
    entries = swept({1: (0.6, 0.6), 2: (0.8, 0.8), 3: (0.9, 0.5)}, {1: (0.9, 0.9), 2: (0.5, 0.5), 3: (0.6, 0.6)})
    paper = papers(a={"auc": 90.0}, b={"auc": 80.0})
    found = table_of(suite("ab", paper=paper, seeds=(0, 1)), [*entries, entry("b", 0.7), entry("b", 0.7, seed=1)])
    assert [(one.row, one.point, one.split) for one in found.choices] == [("a", ((ALPHA, 2),), "valid")]
    assert found.orders[0].found == ("b", "a")
    assert [key for key, value in values_of(found).items() if value.best] == ["a 1"]


def test_where_a_point_has_no_validation_value_the_test_split_chooses() -> None:
    entries = swept({1: (0.6, 0.6), 2: (0.8, math.nan)}, {1: (0.9, 0.9), 2: (0.5, 0.5)})
    (choice,) = table_of(suite("a"), entries).choices
    assert (choice.point, choice.split) == (((ALPHA, 1),), "test")
    # What has failed has no say.
    failed = [entry("a", error="killed", point=((ALPHA, 3),))]
    (choice,) = table_of(suite("a"), [*entries[:3], *failed]).choices
    assert (choice.point, choice.split) == (((ALPHA, 2),), "valid")


def test_figures_of_unknown_users_are_chosen_by_the_users_who_are_known() -> None:
    figure = metric("auc/5")
    entries = [
        attrs.evolve(one, values={"auc/5": one.values["auc"]})
        for one in swept({1: (0.6,), 2: (0.8,)}, {1: (0.9,), 2: (0.5,)})
    ]
    (choice,) = table_of(suite("a"), entries, [figure]).choices
    assert (choice.point, choice.figure, choice.split) == (((ALPHA, 2),), "auc/5", "valid")


def test_columns_choose_for_themselves_and_where_less_is_better_the_least() -> None:
    less = attrs.evolve(AUC, higher=False)
    entries = [
        attrs.evolve(one, cell=attrs.evolve(one.cell, column=column))
        for column, best in (("x", 1), ("y", 2))
        for one in swept({1: (0.5,), 2: (0.4 if best == 2 else 0.6,)}, {1: (0.5,), 2: (0.5,)})
    ]
    found = table_of(suite("a", "xy"), entries, [less])
    assert {one.column: one.point for one in found.choices} == {"x": ((ALPHA, 1),), "y": ((ALPHA, 2),)}
    assert table_of(suite("a"), [entry("a", 0.5)]).choices == ()


def test_failed_runs_are_counted_and_each_reason_is_told_once() -> None:
    entries = [
        entry("a", 0.5),
        entry("a", error="no memory", seed=1),
        entry("a", error="no memory", seed=2),
        entry("b", error="killed"),
        entry("c", math.nan),
    ]
    found = values_of(table_of(suite("abc"), entries))
    assert (found["a"].spread, found["a"].failed, found["a"].missing) == (spread([0.5]), ("no memory",), 2)
    assert (found["b"].spread, found["b"].failed, found["b"].missing) == (None, ("killed",), 1)
    assert found["b"].absent == 0
    assert (found["c"].spread, found["c"].failed, found["c"].missing) == (None, (), 1)
    assert [row for row, value in found.items() if value.best] == ["a"]


def test_what_was_not_run_yet_has_not_failed() -> None:
    entries = [entry("a", 0.5), entry("a", error=ABSENT, seed=1), entry("a", error="killed", seed=2)]
    (value,) = values_of(table_of(suite("a"), entries)).values()
    assert (value.missing, value.absent, value.failed) == (2, 1, ("killed",))


def test_a_suite_without_results_has_a_table_of_failures_and_one_without_entries_none() -> None:
    made = suite("ab", "xy")
    found = table_of(made, [entry(row, error="killed", column=column) for row in "ab" for column in "xy"])
    assert {value.failed for line in found.lines for value in line.values.values()} == {("killed",)}
    assert found.protocols == {"x": "", "y": ""}
    assert tables(made, [], [AUC]) == ()


def test_a_column_without_a_title_that_is_alone_is_called_nothing() -> None:
    assert table_of(suite("a"), [entry("a", 0.5)]).columns == {"all": ""}
    titled = changed(suite("a"), columns={"all": ColumnSettings(title="Polyvore-630")})
    assert table_of(titled, [entry("a", 0.5)]).columns == {"all": "Polyvore-630"}


def test_other_protocols_are_in_tables_of_their_own_with_a_title_that_says_so() -> None:
    made = suite("abcd", ["x", "y"], title="All")
    entries = [
        entry("a", 0.9, protocol="rare", column="x"),
        entry("b", 0.5, protocol="usual", column="x"),
        entry("c", 0.6, protocol="usual", column="x"),
        entry("d", error="killed", column="x"),
        entry("a", 0.4, protocol="usual", column="y"),
    ]
    first, second = tables(made, entries, [AUC])
    assert [line.row for line in first.lines] == ["a", "b", "c", "d"]
    assert set(first.lines[0].values) == {("y", "auc")}
    assert first.protocols == {"x": "usual", "y": "usual"}
    assert values_of(first, column="x")["c"].best
    assert (first.title, second.title) == (
        "All",
        "All, by another protocol: x by rare; not to be compared with what stands above",
    )
    assert [line.row for line in second.lines] == ["a"]
    assert second.columns == {"x": "x"}


def test_a_seed_of_another_protocol_is_told_apart_from_its_line() -> None:
    entries = [
        entry("a", 0.5),
        entry("a", 0.9, seed=1, protocol="two"),
        entry("b", 0.6),
        entry("b", 0.6, seed=1),
    ]
    first, second = tables(suite("ab"), entries, [AUC])
    assert (values_of(first)["a"].spread, values_of(first)["a"].elsewhere) == (spread([0.5]), (1,))
    assert (values_of(second)["a"].spread, values_of(second)["a"].elsewhere) == (spread([0.9]), (0,))
    assert values_of(first)["b"].elsewhere == ()
    assert values_of(first)["b"].best


def test_a_failed_run_is_where_the_others_of_its_line_or_row_are() -> None:
    point = ((ALPHA, 2),)
    entries = [
        *[entry(row, 0.5) for row in "ab"],
        entry("c", 0.5, protocol="two"),
        entry("c", error="killed", seed=1),
        entry("c", error="broken", point=point),
        entry("d", error="no data"),
    ]
    first, second = tables(suite("abcd"), entries, [AUC])
    assert [(line.row, line.point) for line in first.lines] == [("a", ()), ("b", ()), ("d", ())]
    assert [(line.row, line.point) for line in second.lines] == [("c", ()), ("c", point)]
    assert values_of(second)["c"].failed == ("killed",)


@settings(deadline=None)
@given(st.data())
def test_no_table_mixes_protocols_and_none_loses_a_value(data: st.DataObject) -> None:
    columns, rows, seeds = ["x", "y"], ["a", "b", "c"], range(2)
    entries: list[Entry] = []
    by_value: dict[float, Entry] = {}
    for row in rows:
        for column in columns:
            for seed in seeds:
                protocol = data.draw(protocols)
                failed = "killed" if data.draw(st.booleans()) else ""
                # No two values are alike, so that each tells whose it is.
                auc = len(entries) / 100
                entries.append(
                    entry(row, None if failed else auc, column=column, seed=seed, protocol=protocol, error=failed)
                )
                if not failed:
                    by_value[auc] = entries[-1]
    found = tables(suite(rows, columns), entries, [AUC])
    told: Counter[float] = Counter()
    failures = 0
    for table in found:
        for line in table.lines:
            for (column, _), value in line.values.items():
                for one in value.spread.values if value.spread else ():
                    told[one] += 1
                    assert (by_value[one].cell.row, by_value[one].cell.column) == (line.row, column)
                    assert by_value[one].protocol == table.protocols[column]
                failures += value.missing
    assert told == Counter(list(by_value))
    assert failures == len(entries) - len(by_value)
    for column in columns:
        here = [one for one in entries if one.cell.column == column and (one.protocol or not one.error)]
        most = Counter(protocol for protocol, _ in {(one.protocol, one.cell.row) for one in here})
        assert not most or most[found[0].protocols[column]] == max(most.values())
        kept = [table.protocols[column] for table in found if column in table.columns]
        assert len(set(kept)) == len(kept)


def ordered(
    ours: Sequence[float | None], theirs: Sequence[float | None], figure: Figure = AUC
) -> tuple[Suite, list[Entry]]:
    rows = "abcdefgh"[: len(ours)]
    figures = {row: {figure.name: number} for row, number in zip(rows, theirs, strict=True) if number is not None}
    found = [
        entry(row, error="killed") if one is None else entry(row, values={figure.name: (one,)})
        for row, one in zip(rows, ours, strict=True)
    ]
    return suite(rows, paper=papers(**figures)), found


def test_the_papers_order_stands_beside_ours() -> None:
    made, entries = ordered([0.5, 0.6, 0.9, None, 0.7], [80, 90, 85, 99, None])
    (order,) = table_of(made, entries).orders
    assert (order.column, order.figure) == ("all", "auc")
    assert (order.paper, order.found) == (("b", "c", "a"), ("c", "b", "a"))
    assert order.agreement == pytest.approx(1 / 3)
    assert order.swapped == (("b", "c"),)


def test_where_less_is_better_the_least_comes_first() -> None:
    made, entries = ordered([0.5, 0.6, 0.4], [80, 90, 85], LATENCY)
    (order,) = table_of(made, entries, [LATENCY]).orders
    assert (order.paper, order.found) == (("a", "c", "b"), ("c", "a", "b"))
    assert order.swapped == (("a", "c"),)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=6))
def test_the_agreement_is_kendalls_and_pairs_alike_in_either_are_not_swapped(points: list[tuple[int, int]]) -> None:
    made, entries = ordered([one / 10 for one, _ in points], [float(other) for _, other in points])
    (order,) = table_of(made, entries).orders
    tau = stats.kendalltau(*zip(*points, strict=True)).statistic
    assert order.agreement is None if math.isnan(tau) else order.agreement == pytest.approx(tau)
    numbers = dict(zip("abcdefgh", points, strict=False))
    expected = {
        (one, other)
        for one, mine in numbers.items()
        for other, its in numbers.items()
        if mine[1] > its[1] and mine[0] < its[0]
    }
    assert set(order.swapped) == expected
    assert len(order.swapped) == len(expected)
    assert set(order.paper) == set(order.found) == set(numbers)
    for rows, place in ((order.paper, 1), (order.found, 0)):
        assert [numbers[row][place] for row in rows] == sorted((one[place] for one in points), reverse=True)


def test_the_order_is_by_the_first_figure_that_the_paper_has_of_two_rows() -> None:
    paper = papers(a={"auc": 90.0, "ndcg": 60.0}, b={"ndcg": 70.0})
    entries = [entry(row, values={"auc": (0.5,), "ndcg": (0.6,)}) for row in "ab"]
    (order,) = table_of(suite("ab", paper=paper), entries, [AUC, NDCG]).orders
    assert (order.figure, order.agreement, order.swapped) == ("ndcg", None, ())
    assert table_of(suite("ab", paper=paper), entries, [AUC]).orders == ()
    alone = [entries[0], entry("b", error="killed")]
    assert table_of(suite("ab", paper=paper), alone, [AUC, NDCG]).orders == ()


def test_a_row_with_a_sweep_is_ordered_by_its_best_point() -> None:
    paper = papers(a={"auc": 90.0}, b={"auc": 80.0})
    entries = [entry("a", 0.5, point=((ALPHA, 1),)), entry("a", 0.9, point=((ALPHA, 2),)), entry("b", 0.7)]
    (order,) = table_of(suite("ab", paper=paper), entries).orders
    assert (order.found, order.agreement) == (("a", "b"), 1.0)
