"""Tell ink from paper by its contrast with the paper around it."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mnist_kedro.pictures.decode import GrayPicture
from mnist_kedro.pictures.strokes import Ink, cover, find_main_stroke, find_strokes, is_writing

_STROKE_WIDTH = 0.25  # of the longer side; a wider stroke is taken for paper
_MIN_DARK, _MIN_LIGHT = 30, 60  # gray levels of paper; darker paper counts as these
_SKEWED = 1.25  # weight of the kind of ink that makes the distribution of gray levels skewed
_MIN_CONTRAST = 0.02
_NOISE_DEVIATIONS = 12  # Ink stands out by more standard deviations of the noise.
_BIAS = 3  # standard deviations of noise by which a closing is above the paper's mean
_MIN_NOISE = 0.3  # gray levels; of rounding
_MIN_REST = 0.3  # of the contrast of lines and shadows; fainter ink beside them is not looked for
_STROKE = 0.35  # of the clearest pixels' contrast
_GAIN = 1.15  # of the contrast of most pixels


def find_ink_by_contrast(picture: GrayPicture) -> Ink:
    """Find the ink of a picture, without long lines and what comes from the border.

    Args:
        picture: ``(height, width)`` uint8.

    Returns:
        ``(height, width)`` float32; all 0 if nothing stands out from the paper.
    """
    difference, paper = measure_contrast(picture)
    noise = measure_noise(picture)
    if _peak(difference) < _NOISE_DEVIATIONS * noise:
        return np.zeros_like(difference)
    contrast = np.maximum(difference - _BIAS * noise, 0) / paper
    peak = _peak(contrast)
    if peak < _MIN_CONTRAST:
        return np.zeros_like(contrast)
    ink = _scale(contrast, peak)
    strokes = find_strokes(ink)
    main, writing = find_main_stroke(strokes), is_writing(strokes)
    if main is None or writing[main - 1]:
        return ink
    rest = np.where(cover(strokes, np.flatnonzero(~writing) + 1), np.float32(0), contrast)
    rest_peak = _peak(rest)
    return _scale(rest, rest_peak) if rest_peak > _MIN_REST * peak else ink


def _scale(contrast: Ink, peak: float) -> Ink:
    """Make the contrast of most pixels of strokes full ink, however blurred the strokes are."""
    full = np.median(contrast[contrast > _STROKE * peak])
    return np.minimum(_GAIN / full * contrast, 1)


def measure_contrast(picture: GrayPicture) -> tuple[Ink, Ink]:
    """Measure how much darker each pixel is than the paper around it, or how much lighter.

    The paper is a morphological closing, which removes dark strokes, and then smoothed.

    Args:
        picture: ``(height, width)`` uint8.

    Returns:
        The difference in gray levels and the level that it is relative to, ``(height, width)``
        float32; of dark or of light ink, whichever stands out more.
    """
    levels = np.stack([picture, 255 - picture]).astype(np.float32)
    paper = _paper(levels)
    differences = np.maximum(paper - levels, 0)
    dark = _peak(differences[0] / np.maximum(paper[0], _MIN_DARK))
    light = _peak(differences[1] / np.maximum(levels[0], _MIN_LIGHT))
    detail = levels[0] - ndimage.gaussian_filter(levels[0], max(picture.shape) / 4)
    weight = _SKEWED if np.mean(detail * detail * detail) < 0 else 1 / _SKEWED
    if weight * dark > light:
        return differences[0], np.maximum(paper[0], _MIN_DARK)
    return differences[1], np.maximum(255 - paper[1], _MIN_LIGHT)


def measure_noise(picture: GrayPicture) -> float:
    """Estimate the noise's standard deviation, in gray levels, from second differences.

    Most pixels are paper, whose brightness changes evenly, so the median sees only the noise.
    """
    levels = picture.astype(np.float32)
    deviations = [
        np.median(np.abs(rows[:, :-2] - 2 * rows[:, 1:-1] + rows[:, 2:]))
        for rows in (levels, levels.T)
    ]
    return max(_MIN_NOISE, 1.4826 / 6**0.5 * float(min(deviations)))


def _peak(contrast: Ink) -> float:
    clearest = max(8, contrast.size // 500)
    return float(np.partition(contrast.ravel(), -clearest)[-clearest:].mean())


def _paper(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Estimate the levels of the paper from ``(2, height, width)`` levels."""
    side = max(3, int(_STROKE_WIDTH * max(levels.shape)) | 1)
    paper = np.pad(
        levels, [(0, 0), (side, side), (side, side)], mode="symmetric", reflect_type="odd"
    )
    paper = ndimage.grey_closing(paper, (1, side, side))
    paper = ndimage.gaussian_filter(paper, (0, side / 4, side / 4))
    return paper[:, side:-side, side:-side]
