import csv as csv_files
import json as json_texts
import math
from io import StringIO
from pathlib import Path

import attrs
import pytest
from found import ALPHA, AUC, FACTS, NASTY, NDCG, entry, everything, report_of, suite, users

from outfitrec.benchmark.entries import ABSENT, Cell
from outfitrec.benchmark.measures import EFFICIENCY
from outfitrec.benchmark.report import Report
from outfitrec.benchmark.report.parts import absent, agreement_text, failures
from outfitrec.benchmark.report.text import csv, json, latex, markdown, write_texts
from outfitrec.benchmark.report.words import (
    comparison_text,
    legend,
    line_title,
    marks,
    p_text,
    point_text,
    value_text,
)
from outfitrec.benchmark.settings import PaperSettings
from outfitrec.benchmark.statistics import spread
from outfitrec.benchmark.tables import Comparison, Order, Table, Value
from outfitrec.core.progress import duration


def cells(text: str) -> list[list[str]]:
    """The first table of a Markdown text."""
    lines = text.splitlines()
    first = next(index for index, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[first:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.replace(r"\|", "¦").strip("|").split("|")])
    return rows


def test_words_say_what_a_value_is() -> None:
    of_three = Value(spread([0.7, 0.75, 0.8]), missing=1)
    assert value_text(AUC, of_three) == "75.00 ± 5.00"
    assert value_text(AUC, Value(spread([0.8991]))) == "89.91"
    assert value_text(AUC, Value(None, failed=("killed",))) == "failed"
    assert value_text(AUC, Value(None, missing=1)) == "–"
    parameters = next(one for one in EFFICIENCY if one.name == "parameters")
    assert value_text(parameters, Value(spread([65_990_000.0]))) == "65.99"


def test_marks_are_those_of_tests_and_of_runs_that_lack() -> None:
    found = spread([0.5])
    significant = Comparison("a", 9, 0.1, 0.0, 0.2, 0.001, 0.01)
    not_so = attrs.evolve(significant, holm=0.05)
    assert marks(Value(found)) == ""
    assert marks(Value(found, best_test=not_so)) == "†"
    assert marks(Value(found, best_test=significant)) == ""
    assert marks(Value(found, reference_test=significant)) == "▲"
    assert marks(Value(found, reference_test=attrs.evolve(significant, difference=-0.1))) == "▼"
    assert marks(Value(found, reference_test=not_so)) == ""
    assert marks(Value(found, missing=1)) == marks(Value(found, elsewhere=(2,))) == "‡"
    assert marks(Value(None, missing=1)) == ""
    assert marks(Value(found, shared=True)) == "§"
    assert marks(Value(None, shared=True)) == ""
    assert marks(Value(found, best_test=not_so, reference_test=significant, missing=1)) == "†▲‡"


@pytest.mark.parametrize(
    ("point", "text"),
    [
        ((), ""),
        (((ALPHA, 2.0),), "alpha = 2"),
        ((("train.lr", 1e-5), ("train.amp", True)), "lr = 1e-05, amp = true"),
        (
            (("model.encoder.size", "xs"), ("image.size", None)),
            "model.encoder.size = xs, image.size = null",
        ),
        ((("views", ["identity", {"name": "erase", "share": 0.5}]),), "views = [identity, {name: erase, share: 0.5}]"),
    ],
)
def test_a_point_is_told_by_the_last_words_of_its_keys(point: tuple[tuple[str, object], ...], text: str) -> None:
    assert point_text(point) == text
    assert line_title(Cell("FND", "all", point, 0)) == (f"FND ({text})" if text else "FND")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.6, "1 min 0 s"), (252.0, "4 min 12 s"), (7530.0, "2 h 5 min")]
)
def test_a_time_is_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_comparison_is_told_in_the_tables_unit() -> None:
    found = Comparison("N-pair", 40, -0.0227, -0.03, 0.011, 0.0004, 0.0341)
    text = "against N-pair: −2.27 [−3.00, +1.10], p < 0.001, corrected p = 0.034, 40 users"
    assert comparison_text(AUC, found) == text
    assert p_text(0.001) == "p = 0.001"


def test_the_legend_explains_what_occurs_and_nothing_else() -> None:
    table = everything().tables[0]
    text = "\n".join(legend(table))
    for mark in "†▲‡":
        assert mark in text
    assert "▼" not in text
    assert "seeds 0, 1, 2" in text
    assert "paired by user (12)" in text
    alone = report_of(suite(["a"], seeds=(7,)), [entry("a", 0.5, seed=7)]).tables[0]
    assert legend(alone) == ["AUC: per cent.", "Of seed 7.", "Bold: the best of its column."]


def test_the_legend_says_over_what_a_deviation_is() -> None:
    latency = next(one for one in EFFICIENCY if one.name == "latency")
    made = suite(["a"], seeds=(0,))
    (table,) = report_of(made, [entry("a", values={"latency": (1.0, 2.0)})], [latency]).tables
    assert legend(table)[0] == "Mean ± standard deviation over repeated measurements; seed 0."
    (table,) = report_of(suite(["a"]), [entry("a", 0.5)]).tables
    assert legend(table)[1] == "Of seeds 0, 1, 2; no deviation where a single one has a value."
    assert "§ Of a single run, whatever the seed." in legend(table)


def test_the_legend_says_whose_chance_a_deviation_leaves_out() -> None:
    rows = {"FND": "t", "FND-CL": "t", "N-pair": ""}
    entries = [entry(row, 0.5 + seed / 100, seed=seed, teacher=one) for row, one in rows.items() for seed in range(3)]
    said = "FND, FND-CL: one teacher for all seeds, whose own chance the deviation leaves out."
    assert said in legend(report_of(suite(rows), entries).tables[0])
    own = [attrs.evolve(one, teacher=f"{one.teacher}{one.cell.seed}") for one in entries]
    assert "one teacher" not in "".join(legend(report_of(suite(rows), own).tables[0]))


@pytest.mark.parametrize(
    ("valid", "said"),
    [
        ({"auc": 0.5}, "A swept row counts by its best point on the validation split: a (alpha = 1)."),
        ({}, "best point by the test split, which favours it: a (alpha = 2)."),
    ],
)
def test_the_legend_says_by_which_point_a_row_counts(valid: dict[str, float], said: str) -> None:
    points = [((ALPHA, 1),), ((ALPHA, 2),)]
    entries = [
        entry("a", 0.5, point=points[0], valid=dict.fromkeys(valid, 0.9)),
        entry("a", 0.6, point=points[1], valid=valid),
    ]
    report = report_of(suite("a"), entries)
    assert any(line.endswith(said) for line in legend(report.tables[0]))
    (choice,) = json_texts.loads(json(report))["tables"][0]["choices"]
    assert choice["point"] == {ALPHA: 1 if valid else 2}


def test_the_legend_says_why_the_papers_figures_stand_without_a_difference() -> None:
    latency = next(one for one in EFFICIENCY if one.name == "latency")
    for figure, more, said in (
        (latency, {"measure": "efficiency"}, "they were measured on other hardware."),
        (AUC, {}, "where data or evaluation are not the paper's."),
    ):
        paper = PaperSettings(figures={"a": {"all": {figure.name: 4.0}}})
        made = suite("a", paper=paper, **more)
        (table,) = report_of(made, [entry("a", values={figure.name: (0.5,)})], [figure]).tables
        assert legend(table)[-1] == f"The paper's figures stand without a difference{':' if more else ''} {said}"


def test_what_was_not_run_yet_is_told_apart_from_what_failed() -> None:
    entries = [
        entry("a", error="killed"),
        *[entry("a", error=ABSENT, seed=seed) for seed in (1, 2)],
        *[entry("b", error=ABSENT, seed=seed) for seed in range(3)],
    ]
    report = report_of(suite("ab"), entries, facts={"finished": 0, "failed": 1, "missing": 5})
    (table,) = report.tables
    assert failures(table) == ["a: 1 run has no value: killed."]
    assert absent(table) == "Not run yet: a (2 runs); b (3 runs)."
    text = markdown(report)
    assert cells(text)[2:] == [["a", "failed"], ["b", "–"]]
    assert "- runs: 0 finished, 1 failed, 5 not run yet" in text
    assert "Not run yet: a (2 runs); b (3 runs)." in text
    assert absent(everything().tables[0]) == ""


def test_a_report_of_some_rows_says_so_first() -> None:
    report = report_of(suite(["a"]), [entry("a", 0.5)], facts={"partial": "1 of 9 rows; seeds 7"})
    said = "Part of the suite only (1 of 9 rows; seeds 7): comparisons are among these."
    assert legend(report.tables[0], report.facts)[0] == said
    assert markdown(report).split("\n\n")[1] == f"**{said}**"
    assert said in latex(report)
    for facts in ({"partial": ""}, {}):
        whole = attrs.evolve(report, facts=facts)
        assert "Part of the suite" not in markdown(whole) + latex(whole)


def test_failures_say_where_how_many_and_why() -> None:
    first, second = everything().tables
    assert failures(first) == [
        "broken, Set X: 3 runs have no value: killed by signal 9.",
        "broken, y: 3 runs have no value: killed by signal 9.",
        "FND (alpha = 1.5), y: 1 run has no value: killed by signal 9.",
        "FND (alpha = 2), y: 1 run has no value: killed by signal 9.",
    ]
    assert failures(second) == []
    entries = [entry("a", values={"auc": (0.5,), "ndcg": (math.nan,)}), entry("a", 0.5, seed=1, protocol="two")]
    first, _ = report_of(suite(["a"]), entries, [AUC, NDCG]).tables
    assert failures(first) == [
        "a: 1 run has no value of NDCG.",
        "a: seed 1 was evaluated by another protocol, and is in another table.",
    ]


def test_the_agreement_names_the_pairs_that_are_swapped() -> None:
    order = Order("all", "auc", ("a", "b"), ("b", "a"), -1.0, (("a", "b"),))
    assert agreement_text(order) == "Kendall's τ -1.00. The other way round than in the paper, which has a > b."
    same = attrs.evolve(order, found=("a", "b"), agreement=None, swapped=())
    assert agreement_text(same) == "No pair stands the other way round."


def test_markdown_has_the_table_with_the_best_in_bold_and_the_paper_beside() -> None:
    report = everything()
    head, rule, *rows = cells(markdown(report))
    assert head == ["method", "Set X AUC", "Set X AUC, paper", "Set X AUC, difference", "y AUC"]
    assert rule == ["---", "---:", "---:", "---:", "---:"]
    by_row = {row[0]: row[1:] for row in rows}
    assert [len(row) for row in rows] == [len(head)] * 6
    assert by_row["base"][:3] == ["52.75 ± 1.00", "60.00", "−7.25"]
    assert by_row["best"][0] == "**82.75 ± 1.00** ▲"
    assert by_row["broken"] == ["failed", "", "", "failed"]
    assert by_row["FND (alpha = 1.5)"][0] == "72.75 ± 1.00 ▲"
    assert by_row["FND (alpha = 2)"] == ["82.65 ± 1.00 †▲", "62.00", "+20.65", "82.15 ± 0.71 †▲‡"]
    assert sum(row.count("**") for row in map("".join, rows)) == 4


def test_markdown_tells_the_rest_too() -> None:
    text = markdown(everything())
    for part in (
        "# Everything & all".replace("&", r"\&"),
        r"It \*compares\*.",
        "- Paper: Table 2.",
        "Protocol, which results must share to be compared: `one`, Set X; `one`, y.",
        "## Everything \\& all, by another protocol: y by other; not to be compared with what stands above",
        "- broken, Set X: 3 runs have no value: killed by signal 9.",
        "| 1 | FND | best |",
        "which has FND \\> best.",
        "- FND (alpha = 3), y: lr = 0.1",
        r"the \*teacher\* is weak",
        "```sh\noutfitrec bench made --jobs 2\n```",
        "- runs: 17 finished, 3 failed",
        "- time of all runs: 1 h 15 min",
        "- time of this call: 1 min 1 s",
        "- versions: torch 2.8.0",
        "- hardware: device cpu, cores 2",
        "- overrides: dataset.users=40",
    ):
        assert part in text
    assert "None" not in text
    assert "nan" not in text


def test_markdown_of_a_single_seed_shows_no_deviation_and_no_title_of_the_only_column() -> None:
    text = markdown(report_of(suite("ab", seeds=(0,)), [entry("a", 0.5), entry("b", 0.75)]))
    assert cells(text) == [["method", "AUC"], ["---", "---:"], ["a", "50.00"], ["b", "**75.00**"]]
    assert "±" not in text
    assert "##" not in text.replace("## How it was run", "")


def test_csv_reads_back_as_the_tables() -> None:
    report = everything()
    lines = list(csv_files.DictReader(StringIO(csv(report))))
    told = iter(lines)
    for number, table in enumerate(report.tables, start=1):
        for line in table.lines:
            for (column, figure), value in line.values.items():
                one = next(told)
                assert (one["table"], one["row"], one["column"]) == (str(number), line.row, column)
                assert (one["point"], one["figure"]) == (point_text(line.point), figure)
                assert one["protocol"] == table.protocols[column]
                assert one["missing"] == str(value.missing)
                assert one["best"] == str(value.best).lower()
                assert one["paper"] == ("" if value.paper is None else str(value.paper))
                found = value.spread
                assert one["n"] == str(len(found.values) if found else 0)
                if found is None:
                    assert one["mean"] == one["deviation"] == one["low"] == one["high"] == ""
                    assert one["failed"] == "killed by\nsignal 9"
                    continue
                assert float(one["mean"]) == pytest.approx(100 * found.mean)
                for name in ("deviation", "low", "high"):
                    number_found = getattr(found, name)
                    assert (
                        one[name] == ""
                        if number_found is None
                        else float(one[name]) == pytest.approx(100 * number_found)
                    )
                if value.difference is not None:
                    assert float(one["paper_difference"]) == pytest.approx(value.difference)
                for kind, test in (("best", value.best_test), ("reference", value.reference_test)):
                    if test is None:
                        assert one[f"{kind}_p"] == one[f"{kind}_other"] == ""
                        continue
                    assert (one[f"{kind}_other"], one[f"{kind}_users"]) == (test.other, str(test.users))
                    assert float(one[f"{kind}_p"]) == test.p
                    assert float(one[f"{kind}_holm"]) == test.holm
                    assert float(one[f"{kind}_difference"]) == pytest.approx(100 * test.difference)
    assert next(told, None) is None
    assert NASTY in {one["row"] for one in lines}


def test_a_description_is_text_and_nothing_else() -> None:
    """It would be a heading, an image and markup of HTML."""
    wild = "# One\n\n![x](https://example.org/x.png) <b>bold</b>"
    text = markdown(Report(suite(["a"], description=wild), (), (), {}))
    assert r"\# One !\[x\](https://example.org/x.png) \<b\>bold\</b\>" in text


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_text_of_the_csv_is_a_formula(name: str) -> None:
    made = suite([name, "b"], [name], reference=name)
    entries = [entry(row, users=users(place / 10), column=name) for place, row in enumerate((name, "b"))]
    lines = list(csv_files.DictReader(StringIO(csv(report_of(made, entries)), newline="")))
    told = f"'{name}".replace("\r", "\n")
    assert [line["row"] for line in lines] == [told, "b"]
    assert lines[0]["column"] == lines[1]["reference_other"] == told
    # Numbers stay numbers, those below 0 as well.
    assert float(lines[0]["best_difference"]) < 0


def test_json_reads_back_with_everything() -> None:
    report = everything()
    found = json_texts.loads(json(report))
    assert list(found) == ["suite", "tables", "entries", "facts"]
    assert found["facts"] == FACTS
    assert found["suite"]["name"] == "made"
    assert found["suite"]["paper"]["figures"]["best"] == {"x": {"auc": 61.0}}
    assert [table["title"] for table in found["tables"]] == [table.title for table in report.tables]
    line, told = report.tables[0].lines[-1], found["tables"][0]["lines"][-1]
    assert (told["row"], told["point"]) == ("FND", {ALPHA: 2})
    first, value = told["values"][0], line.values["x", "auc"]
    assert (first["column"], first["figure"]) == ("x", "auc")
    assert value.spread is not None
    assert value.best_test is not None
    assert first["spread"]["values"] == list(value.spread.values)
    assert first["best_test"] == {**attrs.asdict(value.best_test), "significant": value.best_test.significant}
    assert found["tables"][0]["orders"][0]["swapped"] == [["FND", "best"]]
    assert len(found["entries"]) == len(report.entries)
    assert found["entries"][0]["cell"] == {"row": "base", "point": {}, "column": "x", "seed": 0}
    assert found["entries"][0]["per_user"]["auc"] == {str(user): one for user, one in enumerate(users(0.0))}


def test_json_has_null_for_what_is_not_finite_and_text_for_paths() -> None:
    report = report_of(
        suite(["a"]),
        [entry("a", math.nan, per_user={"auc": {3: math.inf, 4: 0.5}}, directory=Path("runs") / "a-1")],
        facts={"wall": math.nan},
    )
    (one,) = json_texts.loads(json(report), parse_constant=lambda name: pytest.fail(name))["entries"]
    assert one["values"] == {"auc": [None]}
    assert one["per_user"] == {"auc": {"3": None, "4": 0.5}}
    assert one["directory"] == str(Path("runs") / "a-1")


def test_texts_are_written_and_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "made"
    for report in (everything(), report_of(suite(["a"]), [entry("a", 0.5)])):
        files = write_texts(report, folder)
        assert [file.name for file in files] == ["report.md", "table.csv", "report.json", "table.tex"]
        assert sorted(folder.iterdir()) == sorted(files)
        for file, make in zip(files, (markdown, csv, json, latex), strict=True):
            assert file.read_text(encoding="utf-8") == make(report)


def test_the_same_report_gives_the_same_texts() -> None:
    one, other = everything(), everything()
    for make in (markdown, csv, json, latex):
        assert make(one) == make(other)


def test_a_report_without_results_is_told_as_well() -> None:
    empty = Report(suite(["a"]), (), (), {})
    assert "# made" in markdown(empty)
    assert list(csv_files.DictReader(StringIO(csv(empty)))) == []
    assert json_texts.loads(json(empty))["tables"] == []
    failed = report_of(suite(["a"]), [entry("a", error="killed")])
    assert cells(markdown(failed))[2] == ["a", "failed"]
    table: Table = failed.tables[0]
    assert legend(table) == ["AUC: per cent."]
