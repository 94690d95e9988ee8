"""Figures inside a page: SVG that takes the page's ink, paper and type, and asks the network for nothing."""

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from io import StringIO
from xml.etree import ElementTree

import attrs
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.style import context
from matplotlib.textpath import text_to_path

TYPE = 9  # size of type, points
WIDTH = 4.1  # of a chart, inches
INK, PAPER = "#000000", "#ffffff"
# What black and white become: both follow light and dark. Black is left out where it fills, and is then inherited.
PAGE = {INK: "currentColor", PAPER: "var(--paper)"}
POINTER = re.compile(r"url\(#([^)]+)\)|^#(.+)$")


@attrs.frozen
class Chart:
    """A figure of the page.

    Attributes:
        title: What it shows.
        svg: The drawing.
    """

    title: str
    svg: str


def style() -> AbstractContextManager[None]:
    """The settings in which charts are made, whatever the user's own are."""
    return context(
        [
            "default",
            {
                "font.size": TYPE,
                "axes.titlesize": TYPE,
                "axes.labelsize": TYPE,
                "xtick.labelsize": TYPE - 1,
                "ytick.labelsize": TYPE - 1,
                "axes.formatter.useoffset": False,
                "axes.linewidth": 0.6,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "xtick.major.width": 0.6,
                "ytick.major.width": 0.6,
                "lines.linewidth": 1.4,
                # A dollar in the name of a method is a dollar.
                "text.parse_math": False,
            },
        ]
    )


def inline(figure: Figure, name: str, title: str, tips: Mapping[str, str] | None = None) -> str:
    """A figure as SVG to be put into a page; the same figure gives the same text.

    Args:
        figure: The figure. What is black in it takes the page's ink, what is white the page's paper.
        name: Unlike that of any other figure of the page: letters, digits and '-'.
        title: Read out in its place.
        tips: By ``gid`` of an artist, what is shown where the pointer rests on it.
    """
    file = StringIO()
    with context({"svg.hashsalt": name, "svg.fonttype": "none"}), letters():
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    root = ElementTree.fromstring(file.getvalue())  # noqa: S314 - matplotlib wrote it
    _clear(root)
    _rename(root, name, tips or {})
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.attrib |= {"class": "chart", "role": "img", "aria-label": title, "fill": "currentColor"}
    return ElementTree.tostring(root, encoding="unicode")


def room(texts: Iterable[str], rest: float) -> float:
    """Width of a chart, inches, in which the widest of these texts leaves ``rest`` for all else."""
    bold = FontProperties(size=TYPE, weight="bold")
    with letters():
        widths = [text_to_path.get_text_width_height_descent(text, bold, ismath=False)[0] for text in texts]
    return max(WIDTH, max(widths, default=0) / 72 + rest)


@contextmanager
def letters() -> Iterator[None]:
    """Takes letters that matplotlib's own type lacks: the page's has them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        yield


def _clear(root: ElementTree.Element) -> None:
    """Take out what a page must not have: styles of all pages, metadata, and names of XML."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.rpartition("}")[2] in ("metadata", "style"):
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = {_key(key): _coloured(value) for key, value in element.attrib.items()}


def _key(key: str) -> str:
    return key.rpartition("}")[2]


def _coloured(value: str) -> str:
    for colour, word in PAGE.items():
        value = value.replace(colour, word)
    return value


def _rename(root: ElementTree.Element, name: str, tips: Mapping[str, str]) -> None:
    """Keep the ids that something points to, with the name before them; tips in place of the ids that ask for one."""
    pointed = {found for one in root.iter() for value in one.attrib.values() for found in _pointed(value)}
    for element in root.iter():
        given = element.attrib.pop("id", "")
        if given in tips:
            tip = ElementTree.Element("title")
            tip.text = tips[given]
            element.insert(0, tip)
        elif given in pointed:
            element.set("id", f"{name}-{given}")
        for key, value in element.attrib.items():
            element.set(key, POINTER.sub(lambda match: match[0].replace("#", f"#{name}-"), value))


def _pointed(value: str) -> list[str]:
    return [match[1] or match[2] for match in POINTER.finditer(value)]
