import shutil
import subprocess
from pathlib import Path

import pytest
from found import NASTY, entry, everything, report_of, suite, users
from hypothesis import given
from hypothesis import strategies as st

from outfitrec.benchmark.report.tex import MATHS, WORDS, escaped
from outfitrec.benchmark.report.text import latex, write_texts


def typeset(folder: Path, body: str) -> str:
    """What pdflatex says of a document, with no package but booktabs."""
    program = shutil.which("pdflatex")
    if program is None:
        pytest.skip("pdflatex is not installed")
    text = f"\\documentclass{{article}}\n\\usepackage{{booktabs}}\n\\begin{{document}}\n{body}\n\\end{{document}}\n"
    (folder / "main.tex").write_text(text, encoding="utf-8")
    options = ["-halt-on-error", "-interaction=nonstopmode", "-no-shell-escape"]
    done = subprocess.run([program, *options, "main.tex"], cwd=folder, capture_output=True, check=False, timeout=120)
    said = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, said[-2000:]
    return said


def test_latex_compiles_whatever_rows_are_called(tmp_path: Path) -> None:
    names = [NASTY, "[1] first", "*", "--", "&", "", "%", "\\", "{", "}", "^", "$$", "#", "a~b", "²½ﬁ", "Ａ", "ŧ"]
    made = suite(names, ["x"], reference=names[0], title=NASTY)
    shifts = enumerate(names)
    report = report_of(made, [entry(row, users=users(place / 50), column="x") for place, row in shifts])
    write_texts(report, tmp_path)
    assert typeset(tmp_path, r"\input{table.tex}").count("Output written on main.pdf (1 page") == 1
    rows = [line for line in latex(report).splitlines() if line.endswith(r"\\")]
    assert len(rows) == len(names) + 1
    # The same number of cells everywhere; & of a name is none.
    assert {line.replace(r"\&", "").count("&") for line in rows[1:]} == {2}


def test_latex_of_a_full_report_compiles(tmp_path: Path) -> None:
    report = everything()
    (tmp_path / "table.tex").write_text(latex(report), encoding="utf-8")
    said = typeset(tmp_path, r"\input{table.tex}")
    assert "Misplaced" not in said
    text = latex(report)
    assert text.count(r"\begin{tabular}") == 2
    assert r"& \multicolumn{4}{c}{Set X} & \multicolumn{2}{c}{y} \\" in text
    assert r"\cmidrule(lr){2-5}\cmidrule(lr){6-7}" in text
    assert r"best & \textbf{82.75 $\pm$ 1.00} & $^{\bigtriangleup}$ & 61.00 & +21.75 &" in text
    assert r"$\bigtriangleup$ Significantly above base." in text


def test_every_sign_that_latex_is_given_compiles(tmp_path: Path) -> None:
    signs = [
        chr(code) for first, last in ((0x20, 0x17F), (0x370, 0x3FF), (0x2010, 0x2200)) for code in range(first, last)
    ]
    signs += [*MATHS, *WORDS, "é́", "ệ", "中", "👗", "\u200b", "\x07"]
    body = "\n\n".join(f"x{escaped(sign)}x {escaped(sign * 2)} {escaped('a' + sign + sign + sign)}" for sign in signs)
    typeset(
        tmp_path, rf"\begin{{tabular}}{{l}}{escaped('[*]')} \\ {escaped('[]')} \\ {escaped('*')}\end{{tabular}}" + body
    )


@given(st.text())
def test_latex_text_is_ascii_without_a_bare_special(text: str) -> None:
    found = escaped(text)
    assert found.isascii()
    assert "\n" not in found
    for sign in "#%&":
        assert found.count(sign) == found.count(f"\\{sign}")
    assert found.count("{") - found.count(r"\{") == found.count("}") - found.count(r"\}")


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_plain_ascii_reads_as_itself_in_latex(text: str) -> None:
    found = escaped(text)
    for word, sign in (
        ("textbackslash", "\\"),
        ("textasciicircum", "^"),
        ("textasciitilde", "~"),
        ("textless", "<"),
        ("textgreater", ">"),
        ("textbar", "|"),
        ("char34", '"'),
    ):
        found = found.replace(f"\\{word}{{}}", f"\\SIGN{ord(sign)};")
    for sign in "[*`":
        found = found.replace(f"{{{sign}}}", sign)
    found = found.replace("-{}", "-").replace("'{}", "'")
    for sign in "#$%&_{}":
        found = found.replace(f"\\{sign}", sign)
    for sign in '\\^~<>|"':
        found = found.replace(f"\\SIGN{ord(sign)};", sign)
    assert found == " ".join(text.split())


def test_latex_of_failures_alone_compiles(tmp_path: Path) -> None:
    failed = report_of(suite(["a"]), [entry("a", error="killed")])
    (tmp_path / "table.tex").write_text(latex(failed), encoding="utf-8")
    typeset(tmp_path, r"\input{table.tex}")
    assert r"a & failed \\" in latex(failed)
