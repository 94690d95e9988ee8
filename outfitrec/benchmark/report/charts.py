"""Charts of tables: values with their intervals, sweeps, size against quality, and the paper's order beside ours."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median
from typing import Any

import attrs
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from outfitrec.benchmark.entries import Entry
from outfitrec.benchmark.measures import Figure
from outfitrec.benchmark.report.labels import place
from outfitrec.benchmark.report.looks import Look, short
from outfitrec.benchmark.report.svg import INK, PAPER, TYPE, WIDTH, Chart, inline, room, style
from outfitrec.benchmark.report.words import line_title, setting_text, value_text
from outfitrec.benchmark.tables import Line, Order, Spread, Table, Value

BAND = 0.15  # opacity of an interval
FAINT = 0.14  # of rules
WIDE = 8  # from this ratio of largest to smallest on, an axis is logarithmic
MOST_TICKS = 9
SWAPPED = "#D55E00"


def dots(table: Table, figure: Figure, column: str, looks: Mapping[str, Look], name: str) -> Chart | None:
    """A line for each row: the mean, its 95 % interval, the seeds' values, and the paper's where the data are its own.

    None where there are no values.
    """
    found = list(_values(table, figure, column))
    if not any(value.spread for _, value in found):
        return None
    tips: dict[str, str] = {}
    with style():
        names = [short(line_title(line)) for line, _ in found]
        drawing, axes = _chart(0.6 + 0.25 * len(found), room(names, 2))
        for height, (line, value) in enumerate(found):
            axes.axhline(height, color=INK, alpha=FAINT, linewidth=0.6, zorder=0)
            if value.spread:
                tips[f"tip-{height}"] = _tip(line, figure, value)
                _dot(axes, height, figure, value, value.spread, looks[line.row])
            else:
                words = value_text(figure, value)
                axes.text(0.01, height, words, va="center", transform=axes.get_yaxis_transform(), alpha=0.7)
        axes.set_ylim(len(found) - 0.45, -0.55)
        axes.set_yticks(range(len(found)), names)
        for label, (_, value) in zip(axes.get_yticklabels(), found, strict=True):
            label.set_fontweight("bold" if value.best else "normal")
        axes.tick_params(axis="y", length=0, labelsize=TYPE)
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(5, min_n_ticks=2))
        axes.set_xlabel(figure.title)
        title = _of(table, column, figure.title)
        return Chart(title, inline(drawing, name, title, tips))


def _dot(axes: Axes, height: int, figure: Figure, value: Value, spread: Spread, look: Look) -> None:
    """A mean with its interval, the seeds' values a little below, and a rule where the paper is."""
    if spread.low is not None and spread.high is not None:
        ends = [spread.low * figure.scale, spread.high * figure.scale]
        axes.plot(ends, [height] * 2, color=look.colour, linewidth=2.4, alpha=0.5, solid_capstyle="round")
    seeds = [one * figure.scale for one in spread.values]
    if len(seeds) > 1:
        dots = axes.plot(seeds, [height + 0.27] * len(seeds), marker="o", color=INK, linestyle="none")
        dots[0].set(markersize=2.2, markeredgewidth=0, alpha=0.5)
    if value.difference is not None and value.paper is not None:
        axes.plot(value.paper, height, marker="|", color=INK, markersize=11, markeredgewidth=1.3)
    mark = look.line(markeredgecolor=PAPER, markeredgewidth=0.7, gid=f"tip-{height}", zorder=3)
    axes.plot(spread.mean * figure.scale, height, **mark)


def swept(table: Table) -> list[str]:
    """Keys of which some row has several numbers."""
    numbers: dict[tuple[str, str], set[float]] = {}
    for line in table.lines:
        for key, value in line.point:
            if _number(value):
                numbers.setdefault((key, line.row), set()).add(value)
    return list(dict.fromkeys(key for (key, _), values in numbers.items() if len(values) > 1))


def sweeps(
    table: Table, figure: Figure, column: str, key: str, looks: Mapping[str, Look], name: str
) -> tuple[Chart, dict[str, Look]] | None:
    """A line over the values of a swept key for each row that sweeps it; rows that sweep nothing are level.

    Returns:
        The chart, and what its lines look like; None where no row has two values there.
    """
    groups, levels = _grouped(table, figure, column, key)
    if not any(len(points) > 1 for points in groups.values()):
        return None
    shown: dict[str, Look] = {}
    tips: dict[str, str] = {}
    places = sorted({number for points in groups.values() for number in points})
    with style():
        drawing, axes = _chart(2.9)
        for number, (title, points) in enumerate(groups.items()):
            row = next(iter(points.values()))[0].row
            several = sum(next(iter(one.values()))[0].row == row for one in groups.values()) > 1
            look = looks[title] if title in looks else attrs.evolve(looks[row], marker="osD^vPXp*"[number % 9])
            shown[title if several else row] = look
            _sweep(axes, figure, sorted(points.items()), look, f"tip-{number}", tips)
        for number, (line, value, spread) in enumerate(levels, len(groups)):
            look = shown[line.row] = looks[line.row]
            tips[f"tip-{number}"] = _tip(line, figure, value)
            level: dict[str, Any] = {"linestyle": (0, (5, 2)), "linewidth": 1.1, "gid": f"tip-{number}"}
            ends = look.line(markevery=[0, -1], markersize=4, **level)
            axes.plot([places[0], places[-1]], [spread.mean * figure.scale] * 2, **ends)
        _scale(axes, places)
        axes.set_xlabel(key)
        axes.set_ylabel(figure.title)
        axes.grid(axis="y", color=INK, alpha=FAINT, linewidth=0.6)
        title = f"{_of(table, column, figure.title)} by {key.rpartition('.')[2]}"
        return Chart(title, inline(drawing, name, title, tips)), shown


Points = dict[float, tuple[Line, Value, Spread]]


def _grouped(
    table: Table, figure: Figure, column: str, key: str
) -> tuple[dict[str, Points], list[tuple[Line, Value, Spread]]]:
    """Lines that differ in the key alone, by what they share; and lines of rows that sweep nothing."""
    groups: dict[str, Points] = {}
    levels = []
    for line, value in _values(table, figure, column):
        setting = dict(line.point).get(key)
        if value.spread is None:
            continue
        if setting is not None and _number(setting):
            rest = tuple((other, one) for other, one in line.point if other != key)
            title = line_title(attrs.evolve(line, point=rest))
            groups.setdefault(title, {})[float(setting)] = (line, value, value.spread)
        elif not line.point:
            levels.append((line, value, value.spread))
    return groups, levels


def _sweep(
    axes: Axes,
    figure: Figure,
    points: Sequence[tuple[float, tuple[Line, Value, Spread]]],
    look: Look,
    tip: str,
    tips: dict[str, str],
) -> None:
    numbers = [number for number, _ in points]
    spreads = [spread for _, (_, _, spread) in points]
    ends = [(one.mean if one.low is None else one.low, one.mean if one.high is None else one.high) for one in spreads]
    low, high = ([end * figure.scale for end in side] for side in zip(*ends, strict=True))
    axes.fill_between(numbers, low, high, color=look.colour, alpha=BAND, linewidth=0)
    axes.plot(numbers, [one.mean * figure.scale for one in spreads], **look.line(marker=""))
    for index, (number, (line, value, spread)) in enumerate(points):
        tips[f"{tip}-{index}"] = _tip(line, figure, value)
        axes.plot(number, spread.mean * figure.scale, **look.line(gid=f"{tip}-{index}"))


def _scale(axes: Axes, places: Sequence[float]) -> None:
    if places[0] > 0 and places[-1] / places[0] >= WIDE:
        _logarithmic(axes)
        axes.xaxis.set_major_locator(FixedLocator(places[:: -(-len(places) // MOST_TICKS)]))
    elif len(places) <= MOST_TICKS:
        axes.set_xticks(places, [setting_text(place) for place in places])


def _logarithmic(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: setting_text(float(value))))


def sizes(
    table: Table, entries: Iterable[Entry], figure: Figure, column: str, looks: Mapping[str, Look], name: str
) -> Chart | None:
    """Quality against number of parameters; None where all models are of one size."""
    known: dict[tuple[str, str], list[int]] = {}
    for entry in entries:
        if entry.cell.column == column and entry.parameters:
            known.setdefault((entry.cell.row, repr(entry.cell.point)), []).append(entry.parameters)
    found = [
        (line, value, value.spread, median(known[line.row, repr(line.point)]) / 1e6)
        for line, value in _values(table, figure, column)
        if value.spread and (line.row, repr(line.point)) in known
    ]
    if len({millions for *_, millions in found}) < 2:
        return None
    tips, names = {}, []
    with style():
        drawing, axes = _chart(3.1)
        for number, (line, value, spread, millions) in enumerate(found):
            look = looks[line.row]
            if spread.low is not None and spread.high is not None:
                ends = [spread.low * figure.scale, spread.high * figure.scale]
                axes.plot([millions] * 2, ends, color=look.colour, linewidth=1.6, alpha=0.5)
            tips[f"tip-{number}"] = f"{_tip(line, figure, value)}, {millions:,.2f} M parameters"
            axes.plot(millions, spread.mean * figure.scale, **look.line(gid=f"tip-{number}"))
            names.append((millions, spread.mean * figure.scale, short(line_title(line))))
        smallest, largest = min(one[-1] for one in found), max(one[-1] for one in found)
        if smallest > 0 and largest / smallest >= WIDE:
            _logarithmic(axes)
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.margins(x=0.14, y=0.12)
        axes.set_xlabel("parameters, M")
        axes.set_ylabel(figure.title)
        axes.grid(color=INK, alpha=FAINT, linewidth=0.6)
        place(drawing, axes, names)
        title = f"{_of(table, column, figure.title)} by size"
        return Chart(title, inline(drawing, name, title, tips))


def slopes(table: Table, order: Order, figure: Figure, name: str) -> Chart:
    """The paper's order on the left, ours on the right; lines that cross are pairs the other way round."""
    moved = {row for pair in order.swapped for row in pair}
    with style():
        names = [f"{short(row)} {short(row)}  00  00" for row in order.paper]
        drawing, axes = _chart(0.45 + 0.23 * len(order.paper), room(names, 1))
        axes.axis("off")
        axes.set_xlim(0, 1)
        axes.set_ylim(len(order.paper) - 0.4, -1.3)
        for side, words in ((0.0, "paper"), (1.0, "here")):
            axes.text(side, -1, words, ha="right" if side == 0 else "left", va="center", alpha=0.7)
        for left, row in enumerate(order.paper):
            right = order.found.index(row)
            colour, weight = (SWAPPED, 1.8) if row in moved else (INK, 0.8)
            alpha = 1.0 if row in moved else 0.55
            axes.plot(
                [0.03, 0.97], [left, right], color=colour, linewidth=weight, alpha=alpha, marker="o", markersize=3
            )
            bold = "bold" if row in moved else "normal"
            axes.text(0, left, f"{short(row)}  {left + 1}", ha="right", va="center", fontweight=bold)
            axes.text(1, right, f"{right + 1}  {short(row)}", ha="left", va="center", fontweight=bold)
        title = f"Order by {_of(table, order.column, figure.title)}"
        return Chart(title, inline(drawing, name, title))


def _chart(height: float, width: float = WIDTH) -> tuple[Drawing, Axes]:
    drawing = Drawing(figsize=(width, height), layout="constrained")
    return drawing, drawing.add_subplot()


def _values(table: Table, figure: Figure, column: str) -> Iterator[tuple[Line, Value]]:
    """The places of a figure in a column, from above."""
    for line in table.lines:
        value = line.values.get((column, figure.name))
        if value is not None:
            yield line, value


def _of(table: Table, column: str, what: str) -> str:
    title = table.columns[column]
    return f"{what}, {title}" if title and len(table.columns) > 1 else what


def _tip(line: Line, figure: Figure, value: Value) -> str:
    text = f"{line_title(line)}: {value_text(figure, value)}"
    spread = value.spread
    if spread is None or spread.low is None or spread.high is None:
        return text
    return f"{text}, 95 % interval {figure.text(spread.low)} to {figure.text(spread.high)}"


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
