"""Separate ink from paper."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mnist_kedro.pictures.decode import GrayPicture

Ink = NDArray[np.float32]  # (height, width), 0 paper, 1 ink

_MIN_SIDE = 5  # pixels
_MIN_CONTRAST = 40  # gray levels between paper and ink; with less, the picture is blank
_NOISE_DEVIATIONS = 6  # Ink differs by more standard deviations of the paper's noise.
_BORDER_PIXELS = 1000  # The paper is fitted to about this many pixels.
_INK_THRESHOLD = 0.35  # of the way from paper to ink
_MIN_STROKE_AREA = 0.04  # of the largest stroke; smaller ones are specks
EIGHT_NEIGHBORS = np.ones((3, 3), bool)  # Pixels that touch at a corner belong to one stroke.


def find_ink(picture: GrayPicture) -> Ink:
    """Return the amount of ink in each pixel, without shadows, noise and specks.

    The paper is a plane of brightness fitted to the picture's border; ink differs most from it, and
    is darker or lighter. Strokes that touch the border are dropped if there are others.

    Args:
        picture: ``(height, width)`` uint8.

    Returns:
        ``(height, width)`` float32 in 0–1; all 0 if nothing is written.
    """
    if min(picture.shape) < _MIN_SIDE:
        return np.zeros(picture.shape, np.float32)
    values = picture.astype(np.float32)
    border = _border(picture.shape)
    difference = values - _fit_paper(values, border)
    # Not `difference**3`, which calls `pow` for each pixel and took most of the time.
    sign = 1 if np.mean(difference * difference * difference) > 0 else -1
    strength = np.maximum(sign * difference, 0)
    noise = 1.4826 * _median(np.abs(difference[border]))
    darkest = max(8, strength.size // 1000)
    full = np.mean(np.partition(strength.ravel(), -darkest)[-darkest:])
    if full < max(_MIN_CONTRAST, _NOISE_DEVIATIONS * noise):
        return np.zeros_like(strength)
    strokes = _clean(strength > max(_INK_THRESHOLD * full, _NOISE_DEVIATIONS / 2 * noise))
    grown = ndimage.binary_dilation(strokes, EIGHT_NEIGHBORS)
    return np.where(grown, np.minimum(strength / full, 1), 0)


def _fit_paper(
    values: NDArray[np.float32], border: tuple[NDArray[np.intp], ...]
) -> NDArray[np.float32]:
    """Fit a plane to the border's pixels, and again without the outliers."""
    height, width = values.shape
    rows, columns = border
    terms = np.stack([np.ones(len(rows)), rows / height, columns / width], axis=1)
    levels = values[border].astype(np.float64)
    kept = np.abs(levels - _median(levels)) <= 64
    for _ in range(2):
        plane = np.linalg.lstsq(terms[kept], levels[kept], rcond=None)[0]
        residuals = np.abs(levels - terms @ plane)
        kept = residuals <= max(8.0, 3 * _median(residuals))
    level, down, right = plane.astype(np.float32)
    rise = down * np.linspace(0, 1, height, endpoint=False, dtype=np.float32)[:, np.newaxis]
    return level + rise + right * np.linspace(0, 1, width, endpoint=False, dtype=np.float32)


def _median(values: NDArray[np.floating]) -> float:
    """Return the upper median; `np.median` is slower for so few values."""
    middle = len(values) // 2
    return float(np.partition(values, middle)[middle])


def _border(shape: tuple[int, int]) -> tuple[NDArray[np.intp], ...]:
    """Return rows and columns of border pixels; the border is a twentieth of the shorter side."""
    thickness = max(1, min(shape) // 20)
    in_border = np.ones(shape, bool)
    in_border[thickness:-thickness, thickness:-thickness] = False
    places = np.flatnonzero(in_border)
    return np.unravel_index(places[:: max(1, len(places) // _BORDER_PIXELS)], shape)


def _clean(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Remove specks from a mask of strokes; remove strokes at the border if there are others."""
    labels, count = ndimage.label(mask, EIGHT_NEIGHBORS)
    if count < 2:
        return mask
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    at_border = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    inside = np.ones(count + 1, bool)
    inside[at_border] = False
    if areas[inside].max(initial=0) >= 0.2 * areas.max():
        areas[~inside] = 0
    return (areas >= _MIN_STROKE_AREA * areas.max())[labels] & mask
