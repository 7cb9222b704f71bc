"""Simulate photos of several digits in a tilted line; some digits touch."""

from collections.abc import Sequence

import numpy as np
from PIL import Image
from scipy import ndimage

from mnist_kedro.contracts import Pixels
from mnist_kedro.pictures.decode import GrayPicture

_MAX_ANGLE = 15  # degrees


def write_string(
    digits: Pixels, labels: Sequence[int], touching: float, random: np.random.Generator
) -> tuple[GrayPicture, str]:
    """Simulate a photo of 2 to 10 MNIST digits in a line.

    Args:
        digits: ``(n, 28, 28)`` uint8.
        labels: labels of the digits.
        touching: share of neighboring digits that touch.
        random: generator of everything else.

    Returns:
        ``(height, width)`` uint8, and the digits in order.
    """
    chosen = random.integers(0, len(digits), random.integers(2, 11))
    side = int(random.integers(36, 90))
    glyphs = [_enlarge(digits[i], side) for i in chosen]
    ink = np.zeros((2 * side, sum(g.shape[1] for g in glyphs) + len(glyphs) * side), np.float32)
    x = side // 2
    for number, glyph in enumerate(glyphs):
        y = (len(ink) - len(glyph)) // 2 + int(random.normal(0, 0.03) * side)
        rows = ink[y : y + len(glyph)]
        if number and random.random() < touching:
            x = next((left for left in range(x, x - side, -1) if _touches(rows, glyph, left)), x)
        elif number:
            x += int(random.uniform(0.15, 0.5) * side)
        part = rows[:, x : x + glyph.shape[1]]
        np.maximum(part, glyph, out=part)
        x += glyph.shape[1]
    angle = random.uniform(-_MAX_ANGLE, _MAX_ANGLE)
    turned = np.clip(ndimage.rotate(ink[:, : x + side // 2], angle, order=1), 0, 1)
    page = np.pad(turned, int(side * random.uniform(0.2, 1)))
    down, right = np.meshgrid(*(np.linspace(-1, 1, n) for n in page.shape), indexing="ij")
    slopes = random.normal(0, 0.05, 2)
    light = random.uniform(150, 245) * (1 + slopes[0] * down + slopes[1] * right)
    photo = light * (1 - random.uniform(0.35, 0.9) * page)
    photo += random.normal(0, random.uniform(1, 6), page.shape)
    return np.clip(photo, 0, 255).astype(np.uint8), "".join(str(labels[i]) for i in chosen)


def _enlarge(digit: Pixels, side: int) -> np.ndarray:
    large = Image.fromarray(digit).resize((round(28 * side / 20),) * 2, Image.Resampling.BICUBIC)
    ink = np.asarray(large, np.float32) / 255
    rows, columns = np.nonzero(ink > 0.3)
    return ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def _touches(rows: np.ndarray, glyph: np.ndarray, left: int) -> bool:
    part = rows[:, left : left + glyph.shape[1]]
    return bool((np.minimum(part, glyph[:, : part.shape[1]]) > 0.4).sum() >= 2)
