"""Tell ink from paper."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mnist_kedro.pictures.decode import Grey

Ink = NDArray[np.float32]  # (height, width), 0 paper, 1 ink

_SMALLEST = 5  # pixels, a side of the picture
_FAINTEST = 40  # grey levels between paper and ink; less is a blank picture
_NOISES = 6  # standard deviations of the paper's noise that ink is above
_BORDER_PIXELS = 1000  # the paper is fitted to no more of them
_EDGE = 0.35  # of the way from paper to ink: there the ink begins
_SPECK = 0.04  # of the largest stroke; smaller ones are dirt
_EIGHT = np.ones((3, 3), bool)  # pixels that touch at a corner are of one stroke


def find_ink(grey: Grey) -> Ink:
    """How much ink there is in each pixel: none on paper, in its shadows, in noise and specks.

    The paper is a plane of brightness through the picture's border; ink is what differs from it
    most, darker or lighter. Strokes that run off the picture are dropped if there are others.

    Args:
        grey: ``(height, width)`` uint8.

    Returns:
        ``(height, width)`` float32 in 0–1; all 0 where nothing is written.
    """
    if min(grey.shape) < _SMALLEST:
        return np.zeros(grey.shape, np.float32)
    values = grey.astype(np.float32)
    border = _border(grey.shape)
    difference = values - _paper(values, border)
    # Not `difference**3`, which calls `pow` for each pixel and took most of the time.
    sign = 1 if np.mean(difference * difference * difference) > 0 else -1
    strength = np.maximum(sign * difference, 0)
    noise = 1.4826 * _median(np.abs(difference[border]))
    darkest = max(8, strength.size // 1000)
    full = np.mean(np.partition(strength.ravel(), -darkest)[-darkest:])
    if full < max(_FAINTEST, _NOISES * noise):
        return np.zeros_like(strength)
    strokes = _strokes(strength > max(_EDGE * full, _NOISES / 2 * noise))
    return np.where(ndimage.binary_dilation(strokes, _EIGHT), np.minimum(strength / full, 1), 0)


def _paper(
    values: NDArray[np.float32], border: tuple[NDArray[np.intp], ...]
) -> NDArray[np.float32]:
    """Fit a plane to the border's pixels; pixels far from it are left out of the second fit."""
    height, width = values.shape
    rows, columns = border
    terms = np.stack([np.ones(len(rows)), rows / height, columns / width], axis=1)
    seen = values[border].astype(np.float64)
    kept = np.abs(seen - _median(seen)) <= 64
    for _ in range(2):
        plane = np.linalg.lstsq(terms[kept], seen[kept], rcond=None)[0]
        away = np.abs(seen - terms @ plane)
        kept = away <= max(8.0, 3 * _median(away))
    level, down, right = plane.astype(np.float32)
    rise = down * np.linspace(0, 1, height, endpoint=False, dtype=np.float32)[:, np.newaxis]
    return level + rise + right * np.linspace(0, 1, width, endpoint=False, dtype=np.float32)


def _median(values: NDArray[np.floating]) -> float:
    """Return the upper median; `np.median` is slower for so few values."""
    middle = len(values) // 2
    return float(np.partition(values, middle)[middle])


def _border(shape: tuple[int, int]) -> tuple[NDArray[np.intp], ...]:
    """Return rows and columns of outermost pixels: from a twentieth of the shorter side."""
    wide = max(1, min(shape) // 20)
    outermost = np.ones(shape, bool)
    outermost[wide:-wide, wide:-wide] = False
    places = np.flatnonzero(outermost)
    return np.unravel_index(places[:: max(1, len(places) // _BORDER_PIXELS)], shape)


def _strokes(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    labels, count = ndimage.label(mask, _EIGHT)
    if count < 2:
        return mask
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    cut = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    whole = np.ones(count + 1, bool)
    whole[cut] = False
    if areas[whole].max(initial=0) >= 0.2 * areas.max():
        areas[~whole] = 0
    return (areas >= _SPECK * areas.max())[labels] & mask
