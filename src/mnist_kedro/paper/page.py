"""Simulate a photo of handwriting, with the ink that a finder should find."""

from functools import partial
from io import BytesIO
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from mnist_kedro.contracts import Pixels
from mnist_kedro.paper import surface
from mnist_kedro.paper.handwriting import (
    Write,
    Written,
    write_glyph,
    write_line,
    write_one,
)
from mnist_kedro.pictures.decode import GrayPicture
from mnist_kedro.pictures.ink import SMALL_SIDE
from mnist_kedro.pictures.strokes import Ink

_SIDE = 256  # pixels; the longer side of a page before the camera reduces it
_HIDDEN = 0.15  # levels; ink under a larger change cannot be seen
_FULL = 2  # A pixel counts as ink when half of it is covered, so that thin strokes stay connected.


class Page(NamedTuple):
    """Hold a photo of a page, and its ink."""

    picture: GrayPicture  # (height, width) uint8
    ink: Ink  # (height, width) float32, 0 paper and 1 ink


def make_page(digits: Pixels, side: int, random: np.random.Generator) -> Page:
    """Simulate a photo of a digit, a line of digits or a drawing on paper.

    Args:
        digits: ``(n, 28, 28)`` uint8, MNIST's.
        side: pixels; the longer side of the photo.
        random: chooses everything else.
    """
    levels = _blank_page(_SIDE, random)
    if random.random() < 0.72:
        write: Write = partial(write_glyph, digits, drawn=0.55)
        written = write_one(write, levels.shape, random)
    else:
        written = write_line(digits, levels.shape, random)
    if random.random() < 0.04:  # a blank page
        written = Written(np.zeros_like(written.ink), written.box)
    levels, ink = _ink_page(levels, written, random)
    return Page(_reduce(levels, side).astype(np.uint8), np.clip(_FULL * _reduce(ink, side), 0, 1))


class Photo(NamedTuple):
    """Hold a photo of one digit, or of something else, and what was written."""

    picture: GrayPicture  # (height, width) uint8
    written: Ink  # without margins, larger than in the picture


def photograph(write: Write, side: int, random: np.random.Generator) -> Photo:
    """Simulate a photo of one digit, or of something else, on paper.

    Args:
        write: writes it.
        side: pixels; the longer side of the photo. Less than 60 show little more than the digit.
        random: chooses everything else.
    """
    small = side < SMALL_SIDE
    levels = _blank_page(2 * side, random)
    glyphs: list[Ink] = []

    def keep(random: np.random.Generator, side: int, pen: float) -> Ink:
        glyphs.append(write(random, side, pen))
        return glyphs[0]

    written = write_one(keep, levels.shape, random, smallest=0.35 if small else 0.2)
    levels, _ = _ink_page(levels, written, random, printed=not small)
    return Photo(_reduce(levels, side).astype(np.uint8), glyphs[0])


def _blank_page(side: int, random: np.random.Generator) -> surface.Levels:
    short = round(side * random.uniform(0.35 if random.random() < 0.2 else 0.7, 1))
    return surface.illuminate((side, short) if random.random() < 0.6 else (short, side), random)


def _ink_page(
    levels: surface.Levels, written: Written, random: np.random.Generator, *, printed: bool = True
) -> tuple[Ink, Ink]:
    """Add ink, what is printed, and what lies over a page; return a photo, and the ink in it."""
    ink, box = written
    if random.random() < 0.2:  # chalk, or a dry pen
        ink = ink * _gaps(ink.shape, random)
    if printed:
        kind = random.random()
        if kind < 0.38:
            levels = (surface.rule if kind < 0.18 else surface.square)(levels, box, random)
        for change, share in surface.MARKS.items():
            if random.random() < share:
                levels = change(levels, box, random)
    faint = random.random() < 0.3
    strength = random.uniform(0.08, 0.35) if faint else random.uniform(0.35, 0.95)
    levels = levels * (1 - strength * ink)
    if random.random() < 0.2:
        levels = surface.shade(levels, box, random)
    if printed and random.random() < 0.28:
        covered = surface.cover(levels, box, random)
        ink = np.where(np.abs(covered - levels) > _HIDDEN, np.float32(0), ink)
        levels = covered
    return _photograph(levels, 0.01 if faint else 0.025, random), ink


def _gaps(shape: tuple[int, int], random: np.random.Generator) -> Ink:
    noise = ndimage.gaussian_filter(random.normal(size=shape), random.uniform(0.5, 1.5))
    gaps = np.maximum(noise / noise.std(), 0)
    return np.clip(1 - random.uniform(0.1, 0.5) * gaps, 0, 1).astype(np.float32)


def _photograph(levels: surface.Levels, noise: float, random: np.random.Generator) -> Ink:
    """Blur levels, add noise, invert some and compress some as JPEG; return 0 to 255."""
    seen = ndimage.gaussian_filter(levels, random.uniform(0, 1.5))
    seen = seen + random.normal(0, random.uniform(0.001, noise), levels.shape)
    if random.random() < 0.2:
        seen = 1 - seen
    picture = np.clip(255 * seen, 0, 255).astype(np.float32)
    if random.random() < 0.4:
        file = BytesIO()
        Image.fromarray(picture.astype(np.uint8)).save(
            file, "JPEG", quality=int(random.integers(25, 90))
        )
        picture = np.asarray(Image.open(file), np.float32)
    return picture


def _reduce(values: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    scale = side / max(values.shape)
    height, width = (max(1, round(scale * length)) for length in values.shape)
    picture = Image.fromarray(values.astype(np.float32))
    return np.asarray(picture.resize((width, height), Image.Resampling.BOX))
