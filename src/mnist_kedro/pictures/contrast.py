"""Tell ink from paper by its contrast with the paper around it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from mnist_kedro.pictures.decode import GrayPicture
from mnist_kedro.pictures.strokes import (
    EIGHT_NEIGHBORS,
    Ink,
    cover,
    find_main_stroke,
    find_strokes,
    is_writing,
)

_PAPER_SIDE = 48  # pixels; of a reduced picture
_STROKE_WIDTH = 0.25  # of the longer side; a wider stroke is taken for paper
_MIN_DARK, _MIN_LIGHT = 30, 60  # gray levels of paper; darker paper counts as these
_SKEWED = 1.25  # weight of the kind of ink that makes the distribution of gray levels skewed
_MIN_CONTRAST = 0.02
_NOISE_DEVIATIONS = 12  # Ink stands out by more standard deviations of the noise.
_BIAS = 3  # standard deviations of noise by which a closing is above the paper's mean
_MIN_NOISE = 0.3  # gray levels; of rounding
_MIN_REST = 0.3  # of the contrast of lines and shadows; fainter ink beside them is not looked for
_SURE = 0.9  # probability of the pixels that are most probably writing
_WRITTEN = 0.35  # A pixel near one that is so probably writing keeps its contrast.
_STROKE = 0.35  # of the clearest pixels' contrast
_GAIN = 1.15  # of the contrast of most pixels


class Contrast(NamedTuple):
    """Hold how much a picture's pixels stand out from the paper around them."""

    dark: Ink  # how much darker they are, relative to the paper
    light: Ink  # how much lighter
    looks_light: bool  # whether light ink stands out more than dark ink


def find_ink_by_contrast(picture: GrayPicture) -> Ink:
    """Find the ink of a picture, without long lines and what comes from the border.

    Args:
        picture: ``(height, width)`` uint8.

    Returns:
        ``(height, width)`` float32; all 0 if nothing stands out from the paper.
    """
    measured = measure_contrast(picture)
    contrast = measured.light if measured.looks_light else measured.dark
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


def find_written_ink(picture: GrayPicture, written: Ink) -> Ink | None:
    """Find the ink of a picture, given where it is written on.

    Args:
        picture: ``(height, width)`` uint8.
        written: ``(height, width)`` probabilities that a pixel is writing.

    Returns:
        ``(height, width)`` float32; None if that is nowhere sure, or if nothing stands out there.
    """
    if _peak(written) < _SURE:
        return None
    measured = measure_contrast(picture)
    near = np.minimum(ndimage.maximum_filter(written, footprint=EIGHT_NEIGHBORS) / _WRITTEN, 1)
    dark, light = ((contrast * (written > 0.5)).sum() for contrast in measured[:2])
    contrast = near * (measured.light if light > dark else measured.dark)
    peak = _peak(contrast)
    return None if peak < _MIN_CONTRAST else _scale(contrast, peak)


def _scale(contrast: Ink, peak: float) -> Ink:
    """Make the contrast of most pixels of strokes full ink, however blurred the strokes are."""
    full = np.median(contrast[contrast > _STROKE * peak])
    return np.minimum(_GAIN / full * contrast, 1)


def measure_contrast(picture: GrayPicture) -> Contrast:
    """Measure how much darker each pixel is than the paper around it, and how much lighter.

    The paper is a morphological closing, which removes strokes, and then smoothed. Contrasts are 0
    where they may be noise, and everywhere if all of them may be.

    Args:
        picture: ``(height, width)`` uint8.
    """
    levels = np.stack([picture, 255 - picture]).astype(np.float32)
    paper = _paper(levels)
    differences = np.maximum(paper - levels, 0)
    dark = _peak(differences[0] / np.maximum(paper[0], _MIN_DARK))
    light = _peak(differences[1] / np.maximum(levels[0], _MIN_LIGHT))
    factor = max(1, round(max(picture.shape) / _PAPER_SIDE))
    reduced = levels[0, ::factor, ::factor]
    detail = reduced - ndimage.gaussian_filter(reduced, max(reduced.shape) / 4)
    weight = _SKEWED if np.mean(detail * detail * detail) < 0 else 1 / _SKEWED
    looks_light = weight * dark <= light
    noise = _measure_noise(picture)
    if _peak(differences[int(looks_light)]) < _NOISE_DEVIATIONS * noise:
        differences[:] = 0
    clear = np.maximum(differences - _BIAS * noise, 0)
    return Contrast(
        clear[0] / np.maximum(paper[0], _MIN_DARK),
        clear[1] / np.maximum(255 - paper[1], _MIN_LIGHT),
        looks_light,
    )


def _measure_noise(picture: GrayPicture) -> float:
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
    """Estimate the levels of the paper from ``(2, height, width)`` levels.

    The paper changes slowly, so that a reduced picture of its lightest pixels shows it.
    """
    _, height, width = levels.shape
    factor = max(1, round(max(height, width) / _PAPER_SIDE))
    if factor == 1:
        return _close(levels)
    padded = np.pad(levels, ((0, 0), (0, -height % factor), (0, -width % factor)), mode="edge")
    size = padded.shape[2], padded.shape[1]
    blocks = padded.reshape(2, size[1] // factor, factor, size[0] // factor, factor)
    paper = [
        Image.fromarray(closed).resize(size, Image.Resampling.BILINEAR)
        for closed in _close(blocks.max(axis=(2, 4)))
    ]
    return np.stack([np.asarray(enlarged)[:height, :width] for enlarged in paper])


def _close(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    side = max(3, int(_STROKE_WIDTH * max(levels.shape)) | 1)
    pad = [(0, 0), (side, side), (side, side)]
    closed = ndimage.grey_closing(
        np.pad(levels, pad, mode="symmetric", reflect_type="odd"), (1, side, side)
    )
    smooth = ndimage.gaussian_filter(closed, (0, side / 4, side / 4))
    return smooth[:, side:-side, side:-side]
