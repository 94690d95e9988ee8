"""A report on disk."""

from pathlib import Path

from outfitrec.benchmark.report import Report
from outfitrec.benchmark.report.html import html
from outfitrec.benchmark.report.text import write_texts
from outfitrec.core.files import write_text
from outfitrec.core.progress import QUIET, Progress

PAGE = "report.html"


def write(report: Report, folder: Path, progress: Progress = QUIET) -> None:
    """Write a report: the page, and the tables as Markdown, CSV, JSON and LaTeX.

    Args:
        report: The report.
        folder: Where to; it is made where there is none, and files of an earlier report are replaced.
        progress: Told how it goes.

    Raises:
        RunError: A file cannot be written; the others are whole.
    """
    # Figures first: whatever becomes of the pictures, they are on disk.
    write_texts(report, folder)
    write_text(folder / PAGE, html(report, progress))
