"""Make prepared pictures of digits, and of other marks, as people write and photograph them."""

from functools import partial

import numpy as np

from mnist_kedro.contracts import Pixels
from mnist_kedro.paper.handwriting import Random, Write, draw, draw_digit, rewrite, trace
from mnist_kedro.paper.marks import write_font_digit, write_non_digit
from mnist_kedro.paper.page import photograph
from mnist_kedro.pictures.digit import place_digit, prepare_digit
from mnist_kedro.pictures.ink import SMALL_SIDE, WORKING_SIDE
from mnist_kedro.pictures.strokes import Ink

_SMALLEST_SIDE = 14  # pixels of a photo
# Cosines of what was prepared and what was written, at least:
_READABLE = 0.7  # people can read it
_SIMILAR = 0.5  # it is mainly the digit


def photograph_digit(pixels: Pixels, random: Random) -> Pixels | None:
    """Write a digit of MNIST with another pen, photograph it, and prepare the picture.

    Args:
        pixels: ``(28, 28)`` uint8.
        random: chooses everything else.

    Returns:
        ``(28, 28)`` uint8; None if the digit cannot be found.
    """
    if not pixels.any():
        return None
    return _photograph(partial(rewrite, pixels), random, _READABLE)


def make_digit(digits: Pixels, random: Random) -> Pixels:
    """Make a prepared digit: of MNIST, written with another pen, drawn straight, or printed."""
    kind = random.random()
    if kind < 0.3:
        return digits[random.integers(len(digits))]
    while True:
        if kind < 0.75:
            digit = digits[random.integers(len(digits))]
            write: Write = partial(rewrite, digit, stretched=0.45)
        else:
            write = _draw_straight if kind < 0.85 else write_font_digit
        found = _make(write, random, _SIMILAR)
        if found is not None:
            return found


def make_non_digit(digits: Pixels, random: Random) -> Pixels:
    """Make a prepared picture of a letter, a scribble, a shape or something else."""
    while True:
        found = _make(partial(write_non_digit, digits), random, 0)
        if found is not None:
            return found


def _make(write: Write, random: Random, similarity: float) -> Pixels | None:
    if random.random() < 0.5:
        return _photograph(write, random, similarity)
    side = int(random.integers(20, 85))
    return place_digit(write(random, side, side * random.uniform(0.02, 0.1)))


def _photograph(write: Write, random: Random, similarity: float) -> Pixels | None:
    side = WORKING_SIDE
    if random.random() < 0.4:
        side = int(np.exp(random.uniform(np.log(_SMALLEST_SIDE), np.log(SMALL_SIDE))))
    photo = photograph(write, side, random)
    found = prepare_digit(photo.picture)
    if found is None or _similarity(found, photo.written) < similarity:
        return None
    return found


def _similarity(pixels: Pixels, ink: Ink) -> float:
    """Return the cosine of a prepared picture and of the ink that should be in it."""
    found, expected = pixels.astype(float), place_digit(ink).astype(float)
    norms = np.linalg.norm(found) * np.linalg.norm(expected)
    return float((found * expected).sum() / norms) if norms else 0.0


def _draw_straight(random: Random, side: int, pen: float) -> Ink:
    width = max(4, round(side * random.uniform(0.4, 1)))
    return trace(draw(draw_digit(random), (side, width)), pen)
