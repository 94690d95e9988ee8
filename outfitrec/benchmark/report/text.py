"""A report as text: Markdown, CSV, JSON and LaTeX."""

from pathlib import Path

from outfitrec.benchmark.report import Report
from outfitrec.benchmark.report.data import csv, json
from outfitrec.benchmark.report.latex import latex
from outfitrec.benchmark.report.markdown import markdown
from outfitrec.core.files import write_text

__all__ = ["csv", "json", "latex", "markdown", "write_texts"]


def write_texts(report: Report, folder: Path) -> list[Path]:
    """Write ``report.md``, ``table.csv``, ``report.json`` and ``table.tex``.

    Args:
        report: The report.
        folder: Where to; it is made where there is none.

    Returns:
        The files.

    Raises:
        RunError: One of them cannot be written.
    """
    texts = {"report.md": markdown, "table.csv": csv, "report.json": json, "table.tex": latex}
    for name, make in texts.items():
        write_text(folder / name, make(report))
    return [folder / name for name in texts]
