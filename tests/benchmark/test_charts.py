"""Charts: what is drawn, read back from the SVG, against the numbers that it is of."""

import json
import math
import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from xml.etree import ElementTree

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_reports import ALPHAS, COLUMNS, FIGURES, METHODS, NASTY, costs, methods, spread, swept, with_runs
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Drawing
from matplotlib.transforms import Bbox

from outfitrec.benchmark.entries import Cell, Entry
from outfitrec.benchmark.measures import metric
from outfitrec.benchmark.report import Report, overview
from outfitrec.benchmark.report.charts import dots, sizes, slopes, sweeps
from outfitrec.benchmark.report.charts import swept as swept_keys
from outfitrec.benchmark.report.curves import curves, gather, learned
from outfitrec.benchmark.report.html import html
from outfitrec.benchmark.report.labels import place
from outfitrec.benchmark.report.looks import LONGEST, keys, looks, short
from outfitrec.benchmark.report.svg import inline, style
from outfitrec.benchmark.tables import Line, Order, Table, Value
from outfitrec.core.errors import RunError

KEY = "objectives.ranking.distiller.alpha"


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return methods(tmp_path_factory.mktemp("many"))


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return swept(tmp_path_factory.mktemp("few"))


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314 - made here


def marks(svg: str) -> dict[str, tuple[float, float]]:
    """The first mark below each tip: where it is, by the tip's words."""
    found = {}
    for group in parsed(svg).iter("g"):
        title = group.find("title")
        if title is not None:
            use = next(group.iter("use"))
            found[title.text or ""] = (float(use.attrib["x"]), float(use.attrib["y"]))
    return found


def texts(svg: str) -> list[str]:
    return ["".join(one.itertext()) for one in parsed(svg).iter("text")]


def drawing() -> Drawing:
    with style():
        figure = Drawing(figsize=(2, 2))
        axes = figure.add_subplot()
        axes.plot([1, 2], [1, 2], marker="o", color="black", gid="one")
        axes.plot([1, 2], [2, 1], color="white")
        axes.set_title("a $5 <b> & \u5973")
    return figure


def test_a_figure_takes_the_ink_and_the_paper_of_the_page() -> None:
    svg = inline(drawing(), "name", "A title", {"one": "a <tip>"})
    assert "#000000" not in svg
    assert "#ffffff" not in svg
    assert "stroke: currentColor" in svg
    assert "stroke: var(--paper)" in svg
    root = parsed(svg)
    assert root.attrib["aria-label"] == "A title"
    assert root.attrib["fill"] == "currentColor"
    assert [one.text for one in root.iter("title")] == ["a <tip>"]
    assert "a $5 <b> & \u5973" in texts(svg)


def test_a_figure_brings_nothing_that_reaches_beyond_it() -> None:
    """A style in one figure is one of the whole page; addresses and namespaces are of no use there."""
    svg = inline(drawing(), "name", "A title")
    assert "<style" not in svg
    assert "metadata" not in svg
    assert "http" not in svg


def test_figures_share_no_ids_and_the_same_one_is_drawn_alike() -> None:
    one, other = inline(drawing(), "one", ""), inline(drawing(), "other", "")
    assert one == inline(drawing(), "one", "")
    ids = [set(re.findall(r' id="([^"]+)"', svg)) for svg in (one, other)]
    assert ids[0]
    assert not ids[0] & ids[1]
    for name, svg, known in zip(("one", "other"), (one, other), ids, strict=True):
        pointed = set(re.findall(r'href="#([^"]+)"', svg)) | set(re.findall(r"url\(#([^)]+)\)", svg))
        assert pointed == known
        assert all(found.startswith(f"{name}-") for found in pointed)


def test_rows_look_different() -> None:
    found = looks(map(str, range(63)))
    assert len(set(found.values())) == 63
    neighbours = list(found.values())
    assert all(one.colour != other.colour for one, other in pairwise(neighbours))
    assert all(one.marker != other.marker for one, other in pairwise(neighbours))


def test_a_legend_draws_each_row_as_its_line() -> None:
    found = looks(["a", NASTY])
    drawn = keys(found, "legend")
    assert [row for row, _ in drawn] == ["a", NASTY]
    for (_, svg), look in zip(drawn, found.values(), strict=True):
        assert look.colour.lower() in svg


@given(st.text(max_size=80))
def test_a_short_name_has_its_beginning_and_its_end(text: str) -> None:
    found = short(text)
    assert len(found) <= LONGEST
    assert all(letter.isprintable() for letter in found)
    plain = "".join(letter for letter in text if letter.isprintable())
    if len(plain) <= LONGEST:
        assert found == plain
    else:
        begin, _, end = found.partition("…")
        assert plain.startswith(begin)
        assert plain.endswith(end)


def test_dots_stand_where_the_means_are(many: Report) -> None:
    (table,) = many.tables
    chart = dots(table, FIGURES[0], "630", looks(METHODS), "dots")
    assert chart is not None
    assert chart.title == "AUC, Polyvore-630"
    found = marks(chart.svg)
    means = {line.row: line.values["630", "auc"].spread for line in table.lines}
    assert list(found) == [text for text in found if text.split(":")[0] in METHODS]
    assert [text.split(":")[0] for text in found] == list(METHODS)
    across = [place[0] for place in found.values()]
    down = [place[1] for place in found.values()]
    expected = [spread.mean for spread in means.values() if spread]
    assert np.corrcoef(across, expected)[0, 1] == pytest.approx(1, abs=1e-6)
    assert down == sorted(down)
    for text, value in zip(found, means.values(), strict=True):
        assert value is not None
        assert f"{value.mean * 100:.2f}" in text
        assert f"{value.low * 100:.2f} to {value.high * 100:.2f}" in text if value.low and value.high else False


def test_failed_rows_keep_their_place_among_the_dots(many: Report) -> None:
    chart = dots(many.tables[0], FIGURES[0], "519", looks(METHODS), "dots")
    assert chart is not None
    assert "failed" in texts(chart.svg)
    assert len(marks(chart.svg)) == len(METHODS) - 1
    assert [text for text in texts(chart.svg) if text in METHODS] == list(METHODS)


def test_dots_of_nothing_are_no_chart() -> None:
    lines = (Line("a", (), {("all", "auc"): Value(None, failed=("it",), missing=1)}),)
    table = Table("", {"all": ""}, FIGURES, lines, {}, (0,))
    assert dots(table, FIGURES[0], "all", looks("a"), "dots") is None


def test_only_keys_with_several_numbers_are_swept() -> None:
    cells = {("all", "auc"): Value(spread([0.5]))}
    points: list[tuple[tuple[str, object], ...]] = [
        (("alpha", 1), ("size", "s"), ("flip", True), ("one", 3)),
        (("alpha", 2.5), ("size", "m"), ("flip", False), ("one", 3)),
    ]
    table = Table("", {"all": ""}, FIGURES, tuple(Line("a", point, cells) for point in points), {}, (0,))
    assert swept_keys(table) == ["alpha"]
    # Two rows with a number each sweep nothing.
    lines = (Line("a", (("alpha", 1),), cells), Line("b", (("alpha", 2),), cells))
    assert swept_keys(attrs.evolve(table, lines=lines)) == []


def test_a_sweep_over_a_wide_range_is_logarithmic(few: Report) -> None:
    (table,) = few.tables
    made = sweeps(table, FIGURES[0], "all", KEY, looks(few.suite.rows), "sweep")
    assert made is not None
    chart, shown = made
    assert list(shown) == ["FND", "FND-CL", "N-pair", NASTY]
    found = marks(chart.svg)
    across = [place[0] for text, place in found.items() if text.startswith("FND (")]
    down = [place[1] for text, place in found.items() if text.startswith("FND (")]
    assert len(across) == len(ALPHAS)
    # Alphas double from one to the next.
    assert np.diff(across) == pytest.approx(np.diff(across)[0])
    expected = [line.values["all", "auc"].spread for line in table.lines if line.row == "FND"]
    assert np.corrcoef(down, [-one.mean for one in expected if one])[0, 1] == pytest.approx(1, abs=1e-6)
    assert {f"{alpha:g}" for alpha in ALPHAS} <= set(texts(chart.svg))


def test_a_sweep_over_a_narrow_range_is_linear(few: Report) -> None:
    (table,) = few.tables
    narrow = [line for line in table.lines if dict(line.point).get(KEY) in (1.0, 2.0, 4.0)]
    made = sweeps(attrs.evolve(table, lines=tuple(narrow)), FIGURES[0], "all", KEY, looks(few.suite.rows), "sweep")
    assert made is not None
    across = [place[0] for text, place in marks(made[0].svg).items() if text.startswith("FND (")]
    assert across[2] - across[1] == pytest.approx(2 * (across[1] - across[0]))


def test_rows_that_sweep_nothing_are_level(few: Report) -> None:
    made = sweeps(few.tables[0], FIGURES[0], "all", KEY, looks(few.suite.rows), "sweep")
    assert made is not None
    for group in parsed(made[0].svg).iter("g"):
        title = group.find("title")
        if title is not None and (title.text or "").startswith("N-pair"):
            heights = [float(use.attrib["y"]) for use in group.iter("use")]
            assert len(heights) == 2
            assert heights[0] == heights[1]
            return
    pytest.fail("no line of N-pair")


def test_a_second_swept_key_gives_each_line_a_look_of_its_own() -> None:
    lines = [
        Line("a", (("alpha", alpha), ("size", size)), {("all", "auc"): Value(spread([0.5 + alpha / 10]))})
        for size in ("s", "m")
        for alpha in (1, 2)
    ]
    table = Table("", {"all": ""}, FIGURES, tuple(lines), {}, (0,))
    made = sweeps(table, FIGURES[0], "all", "alpha", looks("a"), "sweep")
    assert made is not None
    assert list(made[1]) == ["a (size = s)", "a (size = m)"]
    assert len(set(made[1].values())) == 2


def test_sizes_stand_where_parameters_and_quality_are(many: Report) -> None:
    (table,) = many.tables
    chart = sizes(table, many.entries, FIGURES[0], "630", looks(METHODS), "sizes")
    assert chart is not None
    found = marks(chart.svg)
    known = {entry.cell.row: entry.parameters for entry in many.entries}
    assert [text.split(":")[0] for text in found] == list(METHODS)
    logs = [math.log(known[row]) for row in METHODS]
    assert np.corrcoef([place[0] for place in found.values()], logs)[0, 1] == pytest.approx(1, abs=1e-6)
    assert set(METHODS) <= set(texts(chart.svg))


def test_a_sweep_may_be_over_mappings() -> None:
    groups = [{"preference.user": {"lr": rate}} for rate in (0.1, 1.0)]
    points = [(("train.groups", group),) for group in groups]
    lines = [Line("a", point, {("all", "auc"): Value(spread([0.5 + k / 10]))}) for k, point in enumerate(points)]
    entries = [Entry(cell=Cell("a", "all", point, 0), parameters=1000 * (k + 1)) for k, point in enumerate(points)]
    table = Table("", {"all": ""}, FIGURES, tuple(lines), {}, (0,))
    chart = sizes(table, entries, FIGURES[0], "all", looks("a"), "sizes")
    assert chart is not None
    assert len(marks(chart.svg)) == 2


def test_models_of_one_size_are_no_chart(many: Report) -> None:
    entries = [attrs.evolve(entry, parameters=5) for entry in many.entries]
    assert sizes(many.tables[0], entries, FIGURES[0], "630", looks(METHODS), "sizes") is None
    nothing = [attrs.evolve(entry, parameters=0) for entry in many.entries]
    assert sizes(many.tables[0], nothing, FIGURES[0], "630", looks(METHODS), "sizes") is None


def test_names_of_points_apart_do_not_overlap() -> None:
    names = [(float(x), float(y), f"name {x}{y}") for x in range(3) for y in range(4)]
    assert overlap(*placed(names)) == 0


def test_names_of_points_in_a_heap_overlap_little() -> None:
    """Beside what they would if each stood to the right of its point."""
    draws = np.random.default_rng(0)
    names = [(float(x), float(y), f"method {index}") for index, (x, y) in enumerate(draws.normal(0, 0.08, (10, 2)))]
    names += [(-1.0, -1.0, "low"), (1.0, 1.0, "high")]
    found, figure = placed(names)
    right = []
    for text in figure.axes[0].texts:
        text.set_position((5, 0))
        text.set(ha="left", va="center")
        right.append(text.get_window_extent())
    assert overlap(found, figure) < 0.25 * overlap(right, figure)


def placed(names: list[tuple[float, float, str]]) -> tuple[list[Bbox], Drawing]:
    with style():
        figure = Drawing(figsize=(4, 3), layout="constrained")
        axes = figure.add_subplot()
        for x, y, _ in names:
            axes.plot(x, y, "o")
        axes.margins(0.15)
        place(figure, axes, names)
        FigureCanvasAgg(figure)
        assert [text.get_text() for text in axes.texts] == [name for _, _, name in names]
        return [text.get_window_extent() for text in axes.texts], figure


def overlap(boxes: list[Bbox], figure: Drawing) -> float:
    """Square pixels that names share, and that they have outside the axes."""
    shared = 0.0
    for index, one in enumerate(boxes):
        for other in boxes[:index]:
            both = Bbox.intersection(one, other)
            shared += both.width * both.height if both else 0
        inside = Bbox.intersection(one, figure.axes[0].bbox)
        shared += one.width * one.height - (inside.width * inside.height if inside else 0)
    return shared if shared > 1e-6 else 0


def test_the_order_is_drawn_from_above(many: Report) -> None:
    (table,) = many.tables
    order = Order("630", "auc", ("a", "b", "c"), ("b", "a", "c"), 1 / 3, (("a", "b"),))
    chart = slopes(table, order, FIGURES[0], "slopes")
    rows = texts(chart.svg)
    assert rows[:2] == ["paper", "here"]
    assert set(rows[2:]) == {"a  1", "b  2", "c  3", "2  a", "1  b", "3  c"}
    heights = {}
    for one in parsed(chart.svg).iter("text"):
        found = re.findall(r"translate\(([\d.]+) ([\d.]+)\)", one.attrib.get("transform", ""))
        heights["".join(one.itertext())] = float(found[0][1]) if found else float(one.attrib["y"])
    assert heights["a  1"] < heights["b  2"] < heights["c  3"]
    assert heights["1  b"] == pytest.approx(heights["a  1"], abs=0.5)
    bold = [one for one in parsed(chart.svg).iter("text") if "700" in one.attrib["style"]]
    assert {"".join(one.itertext()) for one in bold} == {"a  1", "b  2", "2  a", "1  b"}


@pytest.mark.parametrize("letter", ["W", "i", "\u5973"])
def test_long_names_have_room_in_every_chart(letter: str) -> None:
    """matplotlib warns where axes have none left, and warnings are errors."""
    rows = [f"{letter * 25}{number}{letter * 25}" for number in range(12)]
    cells = [{("all", "auc"): Value(spread([0.5, 0.5 + number / 100]))} for number in range(12)]
    lines = tuple(Line(row, (), cell) for row, cell in zip(rows, cells, strict=True))
    table = Table("", {"all": ""}, FIGURES, lines, {}, (0,))
    order = Order("all", "auc", tuple(rows), tuple(rows[::-1]), -1.0, ())
    entries = [Entry(cell=Cell(row, "all", (), 0), parameters=10**6 + number) for number, row in enumerate(rows)]
    found = looks(rows)
    charts = [
        dots(table, FIGURES[0], "all", found, "dots"),
        slopes(table, order, FIGURES[0], "slopes"),
        sizes(table, entries, FIGURES[0], "all", found, "sizes"),
        curves("auc", {row: [[0.5, 0.6]] for row in rows}, found, "", "curves"),
    ]
    assert all(charts)


def write(folder: Path, epochs: list[Mapping[str, float | None]]) -> Path:
    folder.mkdir()
    lines = [json.dumps({"epoch": number, "valid": valid}) for number, valid in enumerate(epochs, 1)]
    (folder / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def entry(row: str, directory: Path | None, seed: int = 0) -> Entry:
    return Entry(cell=Cell(row, "all", (), seed), directory=directory)


def test_curves_are_those_of_the_runs(tmp_path: Path) -> None:
    first = write(tmp_path / "1", [{"auc": 0.5, "ndcg": 0.2}, {"auc": 0.75, "ndcg": 0.3}, {"auc": 0.8, "ndcg": 0.4}])
    second = write(tmp_path / "2", [{"auc": 0.6, "ndcg": 0.2}, {"auc": None, "ndcg": 0.3}])
    gone = write(tmp_path / "3", [{}, {}])
    entries = [entry("a", first), entry("a", second, 1), entry("b", gone), entry("c", None), entry("d", tmp_path)]
    assert gather(entries, "ndcg") == ("ndcg", {"a": [[0.2, 0.3, 0.4], [0.2, 0.3]]}, [])
    _, found, _ = gather(entries, "auc")
    assert found["a"][0] == [0.5, 0.75, 0.8]
    assert math.isnan(found["a"][1][1])
    assert gather(entries, "memory")[0] == "auc"


def test_a_curve_is_the_mean_of_its_seeds_as_far_as_all_went() -> None:
    seeds = [[0.5, 0.7, 0.8, 0.9], [0.6, 0.7, 0.6]]
    chart = curves("auc", {"a": seeds}, looks("a"), "", "curves")
    found = marks(chart.svg)
    assert list(found) == [f"a: {fmean([80, 60]):.2f} after epoch 3"]
    # The marks: of three epochs each has one. The height is that of the mean.
    (group,) = [one for one in parsed(chart.svg).iter("g") if one.find("title") is not None]
    heights = [float(use.attrib["y"]) for use in group.iter("use")]
    assert len(heights) == 3
    # 55, 70, 70 per cent.
    assert heights[0] > heights[1]
    assert heights[1] == pytest.approx(heights[2])


def test_damaged_metrics_are_told_and_the_rest_is_drawn(tmp_path: Path) -> None:
    report = swept(tmp_path / "made")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "metrics.jsonl").write_text("no json\n")
    with pytest.raises(RunError, match="cannot be read"):
        learned(broken)
    fine = report.entries[0].directory
    assert fine is not None
    for runs, charts in (({"broken": broken, "N-pair": fine}, 1), ({"broken": broken}, 0)):
        last = list(overview.groups(with_runs(report, runs)))[-1]
        assert last["title"] == "Learning curves"
        assert len(last["charts"]) == charts
        assert "cannot be read" in last["problems"][0]
        assert "cannot be read" in html(with_runs(report, runs))


def test_tables_with_sweeps_have_lines_and_others_dots(many: Report, few: Report) -> None:
    titles = [[group["title"] for group in overview.groups(report)] for report in (many, few, costs())]
    assert titles[0] == ["Values and their intervals", "Quality by size", "Learning curves"]
    assert titles[1] == ["By alpha", "Quality by size", "Learning curves"]
    assert titles[2] == ["Values and their intervals", "Learning curves"]
    charts = [len(group["charts"]) for group in overview.groups(many)]
    assert charts == [len(COLUMNS) * len(FIGURES), len(COLUMNS), len(COLUMNS)]


def test_learning_curves_of_a_sweep_are_those_of_its_best_point(few: Report) -> None:
    (group,) = [one for one in overview.groups(few) if one["title"] == "Learning curves"]
    assert "Of FND, FND-CL: at the best point of the sweep." in group["text"]
    (chart,) = group["charts"]
    for row, point in (("FND", ((KEY, 4.0),)), ("FND-CL", ((KEY, 2.0),))):
        ends = [
            learned(one.directory)[-1]["auc"]
            for one in few.entries
            if one.cell.row == row and one.cell.point == point and one.directory
        ]
        expected = fmean([100 * end for end in ends if end is not None])
        assert f"{row}: {expected:.2f} after epoch 12" in marks(chart.svg)


def test_columns_that_show_the_same_runs_have_one_chart_of_learning(many: Report) -> None:
    shared = [
        attrs.evolve(entry, directory=next(one.directory for one in many.entries if one.cell.row == entry.cell.row))
        for entry in many.entries
        if not entry.error
    ]
    (group,) = [
        one for one in overview.groups(attrs.evolve(many, entries=tuple(shared))) if one["title"] == "Learning curves"
    ]
    assert len(group["charts"]) == 2  # one of them lacks a row that failed
    same = [entry for entry in shared if entry.cell.row != "OutfitNet"]
    (group,) = [
        one for one in overview.groups(attrs.evolve(many, entries=tuple(same))) if one["title"] == "Learning curves"
    ]
    assert len(group["charts"]) == 1


def test_a_metric_is_drawn_in_its_unit() -> None:
    chart = curves("ndcg@5", {"a": [[0.25, 0.5]]}, looks("a"), "Polyvore", "curves")
    assert chart.title == "ndcg@5 of validation by epoch, Polyvore"
    assert metric("ndcg@5").scale == 100
    assert list(marks(chart.svg)) == ["a: 50.00 after epoch 2"]
