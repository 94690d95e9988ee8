from found import entry

from outfitrec.benchmark.collect import with_ratio


def test_parameters_are_parts_of_the_first_rows_column_by_column() -> None:
    sizes = {("a", "x"): 8.0, ("b", "x"): 2.0, ("a", "y"): 10.0, ("b", "y"): 5.0}
    entries = [entry(row, values={"parameters": (size,)}, column=column) for (row, column), size in sizes.items()]
    found = with_ratio(entries, "a")
    assert [one.values["ratio"] for one in found] == [(1.0,), (0.25,), (1.0,), (0.5,)]


def test_no_other_row_takes_the_place_of_a_first_row_without_parameters() -> None:
    entries = [
        entry("a", error="killed", column="x"),
        entry("b", values={"parameters": (2.0,)}, column="x"),
        entry("a", values={"parameters": (4.0,)}, column="y"),
        entry("b", values={"parameters": (2.0,)}, column="y"),
    ]
    found = with_ratio(entries, "a")
    assert ["ratio" in one.values for one in found] == [False, False, True, True]
    assert found[3].values["ratio"] == (0.5,)
    # A suite whose first row is not shown has none at all.
    assert not any("ratio" in one.values for one in with_ratio(entries, "gone"))
