"""Simulate photos of digits on plain, ruled, squared, boxed and shadowed paper, for evaluation.

This code is older than the picture preparation that it evaluates, and nothing was tuned on its
photos. They differ from the pages that ``mnist_kedro.paper`` simulates for training.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from mnist_kedro.contracts import Pixels

Photo = NDArray[np.uint8]  # (height, width), gray levels
_Light = NDArray[np.float32]  # (height, width), 0 dark, 1 white

_SIDE = 240  # pixels of a photo, ± a third
_PEN_WIDTHS = (0.35, 1.0)  # relative to the stroke width in MNIST


def write_on_paper(digit: Pixels, style: str, random: np.random.Generator) -> Photo:
    """Simulate a photo of an MNIST digit on paper.

    Args:
        digit: ``(28, 28)`` uint8.
        style: a key of ``STYLES``.
        random: generator of light, paper, pen and position.

    Returns:
        ``(height, width)`` uint8, with a longer side of 180 to 320 pixels.
    """
    height, width = (round(_SIDE * random.uniform(0.75, 1.33)) for _ in range(2))
    height = int(np.clip(height, 0.75 * width, 1.33 * width))
    light = _illuminate((height, width), random)
    light *= 1 + random.normal(0, random.uniform(0.002, 0.012), light.shape)  # texture of the paper
    ink, box = _write(digit, (height, width), random)
    strength = random.uniform(0.35, 0.9)
    light = STYLES[style](light, box, random) * (1 - strength * ink)
    light = ndimage.gaussian_filter(light, random.uniform(0.3, 1.2))
    light += random.normal(0, random.uniform(0.002, 0.015), light.shape)  # noise of the camera
    return np.rint(255 * np.clip(light, 0, 1)).astype(np.uint8)


def _illuminate(shape: tuple[int, int], random: np.random.Generator) -> _Light:
    """Simulate blank paper that is lit from one side and darker towards the corners."""
    down, right = np.meshgrid(
        *(np.linspace(-1, 1, n, dtype=np.float32) for n in shape), indexing="ij"
    )
    slope = random.normal(0, 0.08, 2)
    vignette = random.uniform(0, 0.25) * (down**2 + right**2) / 2
    return np.float32(random.uniform(0.6, 0.95)) * (
        1 + slope[0] * down + slope[1] * right - vignette
    )


def _write(
    digit: Pixels, shape: tuple[int, int], random: np.random.Generator
) -> tuple[_Light, tuple[int, int, int, int]]:
    """Redraw a digit in large with a pen of random width, at a random position.

    Returns:
        The ink, 0 to 1, and the box (left, top, right, bottom) of the digit.
    """
    side = round(min(shape) * random.uniform(0.35, 0.75))  # of the middle 20 × 20 pixels
    scale = side / 20
    large = Image.fromarray(digit).resize((round(28 * scale),) * 2, Image.Resampling.BICUBIC)
    inside = ndimage.distance_transform_edt(np.asarray(large) > 110)
    half = np.percentile(inside[inside > 0], 90)  # half of the stroke width
    width = max(1.2, random.uniform(*_PEN_WIDTHS) * half)
    middle = (inside >= ndimage.maximum_filter(inside, 3) - 0.5) & (inside > 0.4 * half)
    distance = ndimage.distance_transform_edt(~middle)
    written = np.clip(width - distance + 0.5, 0, 1).astype(np.float32)
    rows, columns = np.nonzero(written)
    written = written[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    ink = np.zeros(shape, np.float32)
    margin = 0.05 * min(shape)
    top, left = (
        int(random.uniform(margin, max(margin + 1, n - m - margin)))
        for n, m in zip(shape, written.shape, strict=True)
    )
    part = ink[top : top + len(written), left : left + written.shape[1]]
    part[:] = written[: part.shape[0], : part.shape[1]]
    return ink, (left, top, left + written.shape[1], top + len(written))


def _plain(light: _Light, _box: Any, _random: np.random.Generator) -> _Light:
    return light


def _ruled(light: _Light, _box: Any, random: np.random.Generator) -> _Light:
    return light * _lines(light.shape, random, across=False)


def _squared(light: _Light, _box: Any, random: np.random.Generator) -> _Light:
    return light * _lines(light.shape, random, across=True)


def _boxed(light: _Light, box: tuple[int, int, int, int], random: np.random.Generator) -> _Light:
    """Print the box of a form around the digit; the digit may touch the box."""
    left, top, right, bottom = box
    gap = random.uniform(-0.02, 0.3, 4) * max(right - left, bottom - top)
    sides = [left - gap[0], top - gap[1], right + gap[2], bottom + gap[3]]
    down, right_of = _distances(light.shape, random.normal(0, 0.01))
    width, depth = random.uniform(0.8, 2.5), random.uniform(0.3, 0.9)
    inside = np.maximum.reduce(
        [sides[0] - right_of, right_of - sides[2], sides[1] - down, down - sides[3]]
    )
    return light * (1 - depth * np.clip(width - np.abs(inside) + 0.5, 0, 1))


def _shadowed(light: _Light, _box: Any, random: np.random.Generator) -> _Light:
    """Cast the hard shadow of a hand or a phone on a part of the paper."""
    angle, depth = random.uniform(0, 2 * np.pi), random.uniform(0.3, 0.65)
    down, right = _distances(light.shape, angle)
    middle = random.uniform(0.25, 0.75)
    edge = np.quantile(down, middle) + 8 * np.sin(right / random.uniform(20, 80))
    return light * (1 - depth * np.clip((down - edge) / random.uniform(1, 8) + 0.5, 0, 1))


def _lines(shape: tuple[int, int], random: np.random.Generator, *, across: bool) -> _Light:
    down, right = _distances(shape, random.normal(0, 0.03))
    distance, width = random.uniform(0.1, 0.3) * min(shape), random.uniform(0.4, 1.2)
    depth, paper = random.uniform(0.08, 0.4), np.ones(shape, np.float32)
    for axis in (down, right) if across else (down,):
        off = np.abs((axis + random.uniform(0, distance)) % distance - distance / 2)
        paper *= 1 - depth * np.clip(width - off + 0.5, 0, 1)
    return paper


def _distances(shape: tuple[int, int], angle: float) -> tuple[_Light, _Light]:
    """Return the vertical and horizontal coordinates of a sheet rotated by an angle (radians)."""
    down, right = np.indices(shape, np.float32)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return cos * down + sin * right, cos * right - sin * down


STYLES: Mapping[str, Callable[[_Light, Any, np.random.Generator], _Light]] = {
    "plain": _plain,
    "ruled": _ruled,
    "squared": _squared,
    "boxed": _boxed,
    "shadowed": _shadowed,
}
