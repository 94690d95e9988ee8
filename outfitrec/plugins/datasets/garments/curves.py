"""Outlines: smooth curves through given points, in a unit square with y pointing down."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Point: TypeAlias = tuple[float, float] | NDArray[np.float64]
# [point, 2]
Points: TypeAlias = NDArray[np.float64]

STEPS = 8
_T = np.linspace(0, 1, STEPS, endpoint=False)[:, None]
_BASIS = np.stack(
    [-_T + 2 * _T**2 - _T**3, 2 - 5 * _T**2 + 3 * _T**3, _T + 4 * _T**2 - 3 * _T**3, -(_T**2) + _T**3]
) / 2  # fmt: skip


def line(*points: Point) -> Points:
    """The polyline of these points."""
    return np.array(points, dtype=np.float64)


def box(left: float, upper: float, right: float, lower: float) -> Points:
    """An upright rectangle."""
    return line((left, upper), (right, upper), (right, lower), (left, lower))


def smooth(*points: Point) -> Points:
    """The Catmull-Rom curve through these points, from the first to the last."""
    given = np.array(points, dtype=np.float64)
    wide = np.concatenate([2 * given[:1] - given[1:2], given, 2 * given[-1:] - given[-2:-1]])
    pieces = sum(_BASIS[k] * wide[k : len(given) - 1 + k, None, :] for k in range(4))
    return np.concatenate([np.asarray(pieces).reshape(-1, 2), given[-1:]])


def join(*pieces: Points) -> Points:
    """One curve of several, end to start."""
    return np.concatenate(pieces)


def oval(centre: Point, width: float, height: float) -> Points:
    """An ellipse with these half axes."""
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return np.stack([centre[0] + width * np.cos(turn), centre[1] + height * np.sin(turn)], axis=1)


def flip(points: Points) -> Points:
    """The mirror image about the vertical line through the middle of the square."""
    return np.stack([1 - points[:, 0], points[:, 1]], axis=1)


def whole(half: Points) -> Points:
    """The closed outline of which ``half``, from the middle line to the middle line, is one side."""
    return np.concatenate([half, flip(half)[::-1]])


def sides(points: Points) -> Sequence[Points]:
    """A curve and its mirror image."""
    return (points, flip(points))


def ribbon(points: Points, width: float) -> Points:
    """The outline of a line of this width through these points."""
    points = points[np.append(True, np.abs(np.diff(points, axis=0)).sum(1) > 1e-9)]
    along = np.concatenate([points[1:2] - points[:1], points[2:] - points[:-2], points[-1:] - points[-2:-1]])
    across = along[:, ::-1] * np.array([-width / 2, width / 2])
    across /= np.maximum(np.hypot(along[:, :1], along[:, 1:]), 1e-9)
    return np.concatenate([points + across, (points - across)[::-1]])
