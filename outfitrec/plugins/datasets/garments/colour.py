"""Colours in OKLab, a space in which distances are about as large as they look.

Reference: B. Ottosson, A perceptual color space for image processing, 2020.
"""

from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

# Lightness (0 black to 1 white), green to red, blue to yellow (both about -0.3 to 0.3).
Lab: TypeAlias = tuple[float, float, float]
RGB: TypeAlias = tuple[int, int, int]

_TO_LMS = np.array(
    [[1.0, 0.3963377774, 0.2158037573], [1.0, -0.1055613458, -0.0638541728], [1.0, -0.0894841775, -1.2914855480]]
)
_TO_LINEAR = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)

BLACK: Lab = (0.22, 0.0, 0.0)
WHITE: Lab = (0.97, 0.0, 0.004)
GOLD: Lab = (0.74, 0.025, 0.095)
STEEL: Lab = (0.72, -0.002, -0.006)


def polar(lightness: float, chroma: float, hue: float) -> Lab:
    """A colour by lightness, chroma and hue in degrees (30 red, 100 yellow, 145 green, 260 blue)."""
    turn = np.radians(hue)
    return (float(lightness), float(chroma * np.cos(turn)), float(chroma * np.sin(turn)))


def mix(a: Lab, b: Lab, share: float) -> Lab:
    """The colour that is ``share`` of the way from ``a`` to ``b``."""
    return (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share)


def lighter(colour: Lab, by: float) -> Lab:
    """The colour with its lightness raised (lowered where ``by`` is negative), within what can be shown."""
    return (min(max(colour[0] + by, 0.1), 0.985), colour[1], colour[2])


def seam(colour: Lab, by: float = 0.16) -> Lab:
    """The colour of lines on cloth: darker, or lighter where the cloth is too dark for that."""
    return lighter(colour, -by if colour[0] > 0.36 else by)


def to_srgb(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """SRGB (0 to 1) of OKLab colours, ``[..., 3]`` both. Colours that cannot be shown lose chroma, not hue."""
    lab = np.array(lab, dtype=np.float64)
    for _ in range(24):
        linear = (lab @ _TO_LMS.T) ** 3 @ _TO_LINEAR.T
        outside = ((linear < -1e-4) | (linear > 1.0001)).any(-1)
        if not outside.any():
            break
        lab[..., 1:] *= np.where(outside, 0.9, 1.0)[..., None]
    linear = linear.clip(0, 1)
    encoded: NDArray[np.float64] = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return encoded


@lru_cache(maxsize=4096)
def rgb(colour: Lab) -> RGB:
    """SRGB of one colour, 0 to 255."""
    red, green, blue = (to_srgb(np.array(colour)) * 255).round().astype(int).tolist()
    return (red, green, blue)
