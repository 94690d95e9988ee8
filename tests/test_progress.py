import time

import click
import pytest
from commands import process

from outfitrec.cli.progress import LineProgress, QuietProgress, RichProgress, console_progress, speed


def test_lines_are_few_and_tell_the_rate(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    with LineProgress().task("training", 100_000, "pairs") as advance:
        # Half was done before; then 100 pairs a second.
        advance(50_000)
        for _ in range(500):
            clock[0] += 1.0
            advance(100, loss=2.0, auc=0.75)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert lines[0] == "training: 55,000/100,000 pairs, loss 2, auc 0.75, 100 pairs/s, 7 min 30 s left"


def test_short_work_has_no_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with LineProgress().task("encoding items", 10) as advance:
        for _ in range(10):
            advance(1)
    assert capsys.readouterr().err == ""


def test_bars_show_figures_and_messages(capsys: pytest.CaptureFixture[str]) -> None:
    progress = RichProgress()
    with progress.task("training", 10, "pairs") as advance:
        advance(4, loss=1.25)
        with progress.task("encoding items", 3) as inner:
            inner(3)
        progress.message("teacher of [bold]x[/bold]")
        progress.warning("look here")
        advance(6)
    with progress.task("evaluating", 1) as advance:
        advance(1)
    said = capsys.readouterr().err
    for part in ("100%", "loss 1.25", "encoding items", "teacher of [bold]x[/bold]", "warning: look here"):
        assert part in said


def test_quiet_says_warnings_alone(capsys: pytest.CaptureFixture[str]) -> None:
    progress = console_progress(quiet=True)
    assert isinstance(progress, QuietProgress)
    progress.message("hello")
    with progress.task("training", 1) as advance:
        advance(1)
    progress.warning("look here")
    assert click.unstyle(capsys.readouterr().err) == "warning: look here\n"
    assert isinstance(console_progress(), LineProgress)


def test_a_progress_that_is_no_listener_is_an_error() -> None:
    # Without the types that these tests check in every call.
    done = process(code="import outfitrec; outfitrec.run('quickstart', progress=True)")
    assert "UserError: progress is a listener, not True" in done.stderr
    assert "outfitrec.console_progress()" in done.stderr


def test_a_speed_is_never_a_power_of_ten() -> None:
    assert speed(0.3, "trials") == "18 trials/min"
    assert speed(0.001, "runs") == "3.6 runs/h"
    assert speed(2833.4, "pairs") == "2,833 pairs/s"
