"""The page: what stands in it, and what Chromium makes of it."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import attrs
import made_reports
import pytest
from browser import DESK, PHONE, SHEET, Browser, chromium  # noqa: F401 - a fixture
from made_reports import COLUMNS, FIGURES, NASTY, costs, methods, swept

from outfitrec.benchmark.entries import ABSENT
from outfitrec.benchmark.report import Report
from outfitrec.benchmark.report.html import html
from outfitrec.benchmark.tables import Value
from outfitrec.core.progress import Progress
from outfitrec.core.runs import Run
from outfitrec.core.settings import changed

MAKERS: dict[str, Callable[[Path], Report]] = {"methods": methods, "swept": swept, "costs": lambda folder: costs()}

# Of every element with text of its own: its words, its colour, what is behind it, and whether it is large.
INKS = """
const behind = element => {
  for (let at = element; at; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor;
    if (colour !== 'rgba(0, 0, 0, 0)') return colour;
  }
};
return [...document.querySelectorAll('body *')]
  .filter(one => [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
  .filter(one => one.getClientRects().length && !one.closest('title'))
  .map(one => {
    const style = getComputedStyle(one);
    const drawn = one.closest('svg');
    const strength = drawn ? style.opacity * style.fillOpacity : style.opacity;
    return [one.textContent.trim().slice(0, 40), drawn ? style.fill : style.color, behind(one), Number(strength)];
  });
"""
# Cells of tables whose text has no room.
CUT = """
return [...document.querySelectorAll('th, td')]
  .filter(one => one.getClientRects().length)
  .filter(one => one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight)
  .map(one => one.textContent.trim());
"""
ROWS = """
return [...document.querySelectorAll('table.results tbody tr')].map(row => ({
  line: row.querySelector('th').textContent.trim(),
  cells: [...row.querySelectorAll('td')].map(cell => ({
    mean: cell.querySelector('.mean')?.textContent ?? '', small: cell.querySelector('.small')?.textContent ?? '',
    paper: cell.querySelector('.under.small')?.textContent ?? '', fail: cell.querySelector('.fail')?.textContent ?? '',
    weight: cell.querySelector('.mean') ? getComputedStyle(cell.querySelector('.mean')).fontWeight : '',
    colour: cell.querySelector('.fail') ? getComputedStyle(cell.querySelector('.fail')).color : '', tip: cell.title,
    marks: cell.querySelector('.marks')?.textContent ?? '',
  })),
}));
"""
SIZES = """
return [...document.querySelectorAll('body img, body svg')].map(one => {
  const box = one.getBoundingClientRect(), name = one.getAttribute('alt') || one.getAttribute('aria-label');
  return [name, one.naturalWidth ?? box.width, one.naturalHeight ?? box.height];
});
"""


@pytest.fixture(scope="module", params=sorted(MAKERS))
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, Path]:
    folder = tmp_path_factory.mktemp(request.param)
    report = MAKERS[request.param](folder)
    page = folder / "report.html"
    page.write_text(html(report))
    return report, page


@pytest.fixture(scope="module")
def eleven(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, Path]:
    folder = tmp_path_factory.mktemp("eleven")
    report = methods(folder)
    page = folder / "report.html"
    page.write_text(html(report))
    return report, page


class Tags(HTMLParser):
    """The elements of a page, with their attributes, and its words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_asks_the_network_for_nothing_and_the_console_is_silent(
    made: tuple[Report, Path], browser: Browser
) -> None:
    _, page = made
    browser.open(page)
    assert browser.requests() == [page.as_uri()]
    assert browser.complaints() == []


def test_a_policy_forbids_whatever_is_not_in_the_page(eleven: tuple[Report, Path], browser: Browser) -> None:
    """A picture from elsewhere is put into it, and refused."""
    browser.open(eleven[1])
    browser.ask("document.body.append(Object.assign(new Image(), {src: 'https://example.org/one.png'}))")
    assert any("Content Security Policy" in line for line in browser.complaints())


def test_every_figure_has_a_size_and_a_name(made: tuple[Report, Path], browser: Browser) -> None:
    browser.open(made[1])
    sizes = browser.ask(SIZES)
    assert len(sizes) >= 4
    for name, width, height in sizes:
        assert name
        assert width > 0
        assert height > 0


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_page_is_never_wider_than_the_screen(made: tuple[Report, Path], browser: Browser, width: int) -> None:
    browser.open(made[1], width)
    browser.ask("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert browser.ask("return document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_no_text_of_a_table_is_cut(made: tuple[Report, Path], browser: Browser, width: int) -> None:
    browser.open(made[1], width)
    browser.ask("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert browser.ask(CUT) == []


def test_the_first_column_stays_when_a_wide_table_is_moved(eleven: tuple[Report, Path], browser: Browser) -> None:
    browser.open(eleven[1], PHONE)
    place = "document.querySelector('table.results tbody th').getBoundingClientRect().left"
    before = browser.ask(f"return {place}")
    moved = browser.ask(
        f"const box = document.querySelector('.scroll'); box.scrollLeft = 120; return [{place}, box.scrollLeft]"
    )
    assert moved == [before, 120]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out_from_what_is_behind_it(made: tuple[Report, Path], browser: Browser, scheme: str) -> None:
    browser.open(made[1], scheme=scheme)
    browser.ask("document.querySelectorAll('details').forEach(one => one.open = true)")
    found = browser.ask(INKS)
    assert len(found) > 50
    for words, ink, paper, strength in found:
        assert contrast(blend(ink, paper, strength), paper) >= 4.5, words


def test_dark_is_dark_and_light_is_light(eleven: tuple[Report, Path], browser: Browser) -> None:
    papers, inks = [], []
    for scheme in ("light", "dark"):
        browser.open(eleven[1], scheme=scheme)
        papers.append(luminance(browser.ask("return getComputedStyle(document.body).backgroundColor")))
        inks.append(luminance(browser.ask("return getComputedStyle(document.querySelector('svg.chart text')).fill")))
    assert papers[0] > 0.9 > 0.1 > papers[1]
    assert inks[0] < 0.1 < 0.7 < inks[1]


def test_paper_is_light_whatever_the_screen(made: tuple[Report, Path], browser: Browser) -> None:
    browser.open(made[1], scheme="dark", media="print")
    assert browser.ask("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.printed().startswith(b"%PDF")


@pytest.mark.parametrize(("name", "width"), [("methods", SHEET), ("swept", SHEET), ("costs", 1032)])
def test_no_printed_table_is_wider_than_its_sheet(tmp_path: Path, browser: Browser, name: str, width: int) -> None:
    """The wide one is printed across, which its section asks for."""
    page = tmp_path / "report.html"
    page.write_text(html(MAKERS[name](tmp_path)))
    browser.open(page, width, media="print")
    browser.ask("document.querySelectorAll('details').forEach(one => one.open = true)")
    rights = browser.ask("return [...document.querySelectorAll('table')].map(one => one.getBoundingClientRect().right)")
    assert rights
    assert max(rights) <= width
    across = browser.ask("return document.querySelector('#results').classList.contains('wide')")
    assert across == (width > SHEET)


def test_values_are_those_of_the_table(eleven: tuple[Report, Path], browser: Browser) -> None:
    report, page = eleven
    browser.open(page)
    rows = browser.ask(ROWS)
    (table,) = report.tables
    assert [row["line"] for row in rows] == [line.row for line in table.lines]
    for line, row in zip(table.lines, rows, strict=True):
        places = [(column, figure) for column in table.columns for figure in table.figures]
        assert len(row["cells"]) == len(places)
        for (column, figure), cell in zip(places, row["cells"], strict=True):
            value = line.values[column, figure.name]
            if value.spread is None:
                assert cell["mean"] == ""
                continue
            assert cell["mean"] == f"{value.spread.mean * 100:.2f}"
            assert value.spread.deviation is not None
            assert cell["small"] == f"± {value.spread.deviation * 100:.2f}"
            assert (int(cell["weight"]) >= 600) == value.best
            assert f"{value.paper:.2f}" in cell["paper"]
            if value.difference is not None:
                assert cell["paper"].endswith(f"({value.difference:+.2f})".replace("-", "−"))
            else:
                assert "(" not in cell["paper"]
            assert value.spread.low is not None
            assert f"{value.spread.low * 100:.2f}" in cell["tip"]


def test_failed_runs_are_red_and_say_why(eleven: tuple[Report, Path], browser: Browser) -> None:
    browser.open(eleven[1])
    cells = {row["line"]: row["cells"] for row in browser.ask(ROWS)}
    gone = cells["OutfitNet"][2]
    assert "failed" in gone["fail"]
    assert "CUDA out of memory" in gone["tip"]
    red, green, blue = channels(gone["colour"])
    assert red > 2 * max(green, blue)
    assert "1 failed" in cells["FHN"][0]["fail"]
    assert "killed by signal 9" in browser.ask("return document.querySelector('.failures').textContent")


def test_marks_tell_what_the_tests_found(eleven: tuple[Report, Path], browser: Browser) -> None:
    browser.open(eleven[1])
    cells = {row["line"]: row["cells"] for row in browser.ask(ROWS)}
    assert "†" in cells["FND"][0]["marks"]
    assert "†" not in cells["FHN"][0]["marks"]
    assert "▲" in cells["FND-CL"][0]["marks"]
    assert "▼" in cells["SCE-Net"][0]["marks"]
    assert "p = 0.400" in cells["FND"][0]["tip"]


def test_all_comparisons_are_listed(eleven: tuple[Report, Path]) -> None:
    report, page = eleven
    values = [value for line in report.tables[0].lines for value in line.values.values()]
    count = sum(value.best_test is not None for value in values) + sum(bool(value.reference_test) for value in values)
    assert f"All comparisons ({count})" in page.read_text()
    assert page.read_text().count("<td>&lt; 0.001</td>") > 0


def test_all_values_are_listed(eleven: tuple[Report, Path], browser: Browser) -> None:
    report, page = eleven
    browser.open(page)
    rows = browser.ask(
        "return [...document.querySelectorAll('[aria-label=\"all values\"] tbody tr')]"
        ".map(row => [...row.children].map(cell => cell.textContent))"
    )
    expected = []
    for column, title in COLUMNS.items():
        for figure in FIGURES:
            for line in report.tables[0].lines:
                found = line.values[column, figure.name].spread
                if found and found.low and found.high and found.deviation:
                    mean, deviation = f"{100 * found.mean:.2f}", f"{100 * found.deviation:.2f}"
                    interval = f"{100 * found.low:.2f} to {100 * found.high:.2f}"
                    values = ", ".join(f"{100 * one:.2f}" for one in found.values)
                    expected.append([line.row, f"{title} {figure.title}", mean, deviation, interval, values])
    assert rows == expected


def test_a_name_is_text_and_nothing_else(tmp_path: Path) -> None:
    page = html(swept(tmp_path))
    tags = Tags(page)
    assert "script" not in [tag for tag, _ in tags.found]
    assert any(NASTY in words for words in tags.words)
    assert not [name for _, given in tags.found for name in given if name.startswith("on")]


def test_ids_are_unique_and_everything_that_points_has_a_target(made: tuple[Report, Path]) -> None:
    tags = Tags(made[1].read_text())
    ids = [given["id"] for _, given in tags.found if "id" in given]
    assert len(set(ids)) == len(ids)
    text = made[1].read_text()
    pointed = set(re.findall(r'href="#([^"]+)"', text)) | set(re.findall(r"url\(#([^)]+)\)", text))
    assert len(pointed) > 5
    assert pointed <= set(ids)


def test_the_same_report_gives_the_same_page(tmp_path: Path) -> None:
    report = methods(tmp_path)
    assert html(report) == html(report)


def test_eleven_methods_stay_small(eleven: tuple[Report, Path]) -> None:
    assert eleven[1].stat().st_size < 1_000_000


def test_the_head_says_how_it_was_made(eleven: tuple[Report, Path], browser: Browser) -> None:
    browser.open(eleven[1])
    head = browser.ask("return document.querySelector('header').textContent")
    for words in ("outfitrec bench table2", "0, 1, 2", "63", "12 h 5 min", "2026-11-21", "NVIDIA H100", "3f2a9c0d1e2b"):
        assert words in head


def test_swapped_pairs_of_the_order_are_told(eleven: tuple[Report, Path], browser: Browser) -> None:
    browser.open(eleven[1])
    words = browser.ask("return document.querySelector('#results').textContent")
    assert "1 of 55 pairs the other way round" in words
    assert "LPAE-u above FHN" in words


def test_searches_and_warnings_are_told_where_there_are_any(tmp_path: Path) -> None:
    page = html(methods(tmp_path))
    assert "train.optimizer.lr = 0.0123" in page
    assert "no negative had a weight below 0" in page
    bare = html(attrs.evolve(costs(), entries=()))
    for name in ("searches", "warnings", "space", "pictures", "false-negatives"):
        assert f'id="{name}"' not in bare


def test_a_report_without_tables_is_a_page(tmp_path: Path) -> None:
    page = html(attrs.evolve(methods(tmp_path), tables=(), entries=()))
    assert "Personalised outfit recommendation" in page
    assert 'id="results"' not in page


def test_what_cannot_be_shown_says_so_and_the_rest_stays(tmp_path: Path) -> None:
    """Directories of runs that hold nothing but metrics."""
    report = methods(tmp_path)
    changes: dict[str, Any] = {"space": "FND", "pictures": ("FHN", "OutfitNet"), "false_negatives": "FND-CL"}
    page = html(attrs.evolve(report, suite=changed(report.suite, **changes)))
    words = "".join(Tags(page).words)
    assert words.count("cannot be shown: no run in") == 4
    assert "90.46" in page or len(re.findall(r'class="mean', page)) > 30


def test_a_row_without_a_finished_run_says_so(tmp_path: Path) -> None:
    report = swept(tmp_path)
    page = html(attrs.evolve(report, suite=changed(report.suite, space="N-pair")))
    assert "none of its runs is finished" in page


def test_a_swept_row_is_shown_at_the_point_by_which_it_counts_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = swept(tmp_path)
    opened: list[Path] = []

    def drawn(run: Run, progress: Progress) -> dict[str, Any]:
        opened.append(run.directory)
        return {"svg": "<svg></svg>", "users": [0]}

    for entry in report.entries:
        if entry.directory is not None:
            (entry.directory / "manifest.json").write_text('{"identity": "", "role": "", "data": "", "hardware": {}}')
            (entry.directory / "result.json").write_text("{}")
    monkeypatch.setattr("outfitrec.benchmark.report.space.space", drawn)
    page = html(attrs.evolve(report, suite=changed(report.suite, space="FND")))
    # Of seed 0; the best test value is that of alpha 2, and the first point is 0.5.
    assert opened == [tmp_path / "FND-4.0-0"]
    assert "as FND (alpha = 4) (seed 0) sees them" in page


def test_the_head_tells_what_was_not_run_yet_from_what_failed(tmp_path: Path) -> None:
    report = swept(tmp_path)
    errors = ["killed", ABSENT, ABSENT]
    entries = [attrs.evolve(one, error=error) for one, error in zip(report.entries, errors, strict=False)]
    page = html(attrs.evolve(report, entries=tuple(entries)))
    assert '<dt>failed</dt><dd class="bad">1</dd>' in page
    assert "<dt>not run yet</dt><dd>2</dd>" in page
    page = html(attrs.evolve(report, entries=(), facts={"failed": 0, "missing": 0}))
    assert "<dt>failed</dt><dd>0</dd>" in page
    assert "not run yet" not in page


def test_a_place_counts_the_failed_without_those_not_run_yet(tmp_path: Path) -> None:
    report = methods(tmp_path)
    (table,) = report.tables
    value = attrs.evolve(table.lines[0].values["630", "auc"], failed=("killed",), missing=3, absent=2)
    gone = Value(None, missing=3, absent=3)
    line = attrs.evolve(table.lines[0], values={("630", "auc"): value, ("630", "ndcg"): gone})
    page = html(attrs.evolve(report, tables=(attrs.evolve(table, lines=(line,), orders=()),)))
    assert "1 failed" in page
    assert "Not run yet: Type-Aware, Polyvore-630 (3 runs)." in page
    assert page.count('class="fail') == 1


def test_a_page_of_some_rows_says_so_in_its_head_and_below_its_tables(tmp_path: Path) -> None:
    report = methods(tmp_path)
    said = "Part of the suite only (3 of 9 rows): comparisons are among these."
    assert html(attrs.evolve(report, facts={**report.facts, "partial": "3 of 9 rows"})).count(said) == 2
    assert "Part of the suite" not in html(attrs.evolve(report, facts={**report.facts, "partial": ""}))


def blend(ink: str, paper: str, strength: float) -> str:
    mixed = [strength * a + (1 - strength) * b for a, b in zip(channels(ink), channels(paper), strict=True)]
    return f"rgb({mixed[0]}, {mixed[1]}, {mixed[2]})"


def contrast(one: str, other: str) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG defines it."""
    parts = [value / 255 for value in channels(colour)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def channels(colour: str) -> tuple[float, float, float]:
    red, green, blue = map(float, re.findall(r"[\d.]+", colour)[:3])
    return red, green, blue


def test_contrast_is_that_of_known_colours() -> None:
    assert contrast("rgb(0, 0, 0)", "rgb(255, 255, 255)") == pytest.approx(21)
    assert contrast("rgb(118, 118, 118)", "rgb(255, 255, 255)") == pytest.approx(4.54, abs=0.01)


def test_fabricated_spreads_are_right() -> None:
    """Student's t of three values: 4.3027."""
    found = made_reports.spread([1.0, 2.0, 3.0])
    assert found.low == pytest.approx(2 - 4.3027 / 3**0.5, abs=1e-4)
