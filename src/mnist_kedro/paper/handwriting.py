"""Write digits and other strokes with pens of any width."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from mnist_kedro.contracts import Pixels
from mnist_kedro.pictures.strokes import Ink

_INSIDE = 0.43  # of the highest level; what has more is inside a stroke

Lines = Sequence[NDArray[np.floating]]  # each (n, 2): points (down, right) of a stroke, 0 to 1
Mask = NDArray[np.bool_]
Random = np.random.Generator
# Writes something of about a height in pixels with a pen of a radius in pixels.
Write = Callable[[Random, int, float], Ink]

# Digits with the straight strokes and corners of neat handwriting, which MNIST has few of: which
# digit it is, and its strokes.
STRAIGHT_DIGITS: Sequence[tuple[int, Sequence[Sequence[tuple[float, float]]]]] = (
    (1, [[(0.25, 0.2), (0, 0.5), (1, 0.5)]]),
    (1, [[(0.25, 0.2), (0, 0.5), (1, 0.5)], [(1, 0.15), (1, 0.85)]]),
    (1, [[(0, 0.5), (1, 0.45)]]),
    (2, [[(0.25, 0.1), (0, 0.45), (0.2, 0.85), (0.6, 0.6), (1, 0.05), (0.98, 0.95)]]),
    (3, [[(0.05, 0.1), (0.03, 0.9), (0.4, 0.45), (0.7, 0.9), (1, 0.5), (0.9, 0.05)]]),
    (4, [[(0, 0.45), (0.6, 0.05), (0.6, 0.95)], [(0.3, 0.7), (1, 0.7)]]),
    (4, [[(1, 0.7), (0, 0.7), (0.65, 0.05), (0.65, 0.95)]]),
    (4, [[(0, 0.15), (0.55, 0.1), (0.5, 0.9)], [(0.05, 0.75), (1, 0.7)]]),
    (
        5,
        [
            [(0.02, 0.9), (0, 0.2)],
            [(0, 0.2), (0.45, 0.15), (0.4, 0.6), (0.7, 0.9), (1, 0.6), (0.95, 0.1)],
        ],
    ),
    (5, [[(0.02, 0.9), (0, 0.2), (0.45, 0.15), (0.4, 0.6), (0.7, 0.9), (1, 0.6), (0.95, 0.1)]]),
    (6, [[(0, 0.7), (0.5, 0.1), (0.9, 0.2), (1, 0.6), (0.75, 0.9), (0.55, 0.6), (0.7, 0.1)]]),
    (7, [[(0.05, 0.05), (0.02, 0.95), (1, 0.4)]]),
    (7, [[(0.05, 0.05), (0.02, 0.95), (1, 0.4)], [(0.5, 0.2), (0.48, 0.8)]]),
    (7, [[(0.2, 0.05), (0.03, 0.05), (0, 0.95), (1, 0.5)]]),
    (7, [[(0.2, 0.05), (0.03, 0.05), (0, 0.95), (1, 0.5)], [(0.5, 0.3), (0.5, 0.9)]]),
    (9, [[(0.3, 0.85), (0.5, 0.5), (0.3, 0.1), (0, 0.5), (0.2, 0.85), (1, 0.8)]]),
)


class Written(NamedTuple):
    """Hold the ink of a page, and the box around what is written."""

    ink: Ink
    box: tuple[int, int, int, int]  # left, top, right, bottom


def write_one(
    write: Write, shape: tuple[int, int], random: Random, smallest: float = 0.2
) -> Written:
    """Write a digit, or something else, of any size anywhere on a page.

    Args:
        write: writes it.
        shape: height and width of the page in pixels.
        random: chooses its size, place and pen.
        smallest: smallest height, as a fraction of the page's shorter side.
    """
    side = round(min(shape) * random.uniform(smallest, 1))
    pen = random.uniform(0.3, 2.2) if random.random() < 0.6 else side * random.uniform(0.02, 0.09)
    glyph = write(random, side, pen)
    reach = 0.3 if random.random() < 0.1 else 0.0  # beyond the page's edge
    central = random.random() < 0.5
    place = []
    for page, size in zip(shape, glyph.shape, strict=True):
        beyond = reach * size
        anywhere = random.uniform(-beyond, max(1, page - size + beyond))
        middle = (page - size) / 2 + random.normal(0, 0.05) * page
        place.append(int(middle if central and not reach else anywhere))
    top, left = place
    ink = np.zeros(shape, np.float32)
    _put(ink, glyph, top, left)
    return Written(ink, (left, top, left + glyph.shape[1], top + glyph.shape[0]))


def write_line(digits: Pixels, shape: tuple[int, int], random: Random) -> Written:
    """Write a line of 2 to 8 digits that may climb or fall."""
    count = int(random.integers(2, 9))
    side = max(14, round(min(0.6 * shape[0], shape[1] / count / 0.75) * random.uniform(0.6, 1)))
    pen = max(0.5, side * random.uniform(0.02, 0.08))
    slope = np.tan(np.deg2rad(random.uniform(-15, 15))) if random.random() < 0.5 else 0
    start = x = int(random.uniform(0, max(1, shape[1] - count * side * 0.75)))
    y = random.uniform(0.05 * shape[0], max(0.06 * shape[0], 0.95 * shape[0] - side))
    gap = random.uniform(-0.05, 0.3) * side
    ink = np.zeros(shape, np.float32)
    boxes = []
    for _ in range(count):
        glyph = write_glyph(digits, random, round(side * random.uniform(0.8, 1.1)), pen, drawn=0.15)
        top = int(y + slope * (x - start) + random.normal(0, 0.03) * side)
        _put(ink, glyph, top, x)
        boxes.append((x, top, x + glyph.shape[1], top + glyph.shape[0]))
        x += int(glyph.shape[1] + gap)
    (left, top, _, _), (_, _, right, bottom) = np.min(boxes, axis=0), np.max(boxes, axis=0)
    return Written(ink, (int(left), int(top), int(right), int(bottom)))


def write_glyph(digits: Pixels, random: Random, side: int, pen: float, drawn: float) -> Ink:
    """Write a digit of MNIST, or draw strokes.

    Args:
        digits: ``(n, 28, 28)`` uint8, MNIST's.
        random: chooses what is written.
        side: pixels; about the longer side.
        pen: pixels; half the width of the strokes.
        drawn: share of drawings instead of MNIST's digits.

    Returns:
        The ink without margins.
    """
    if random.random() < drawn:
        lines = draw_digit(random) if random.random() < 0.6 else draw_strokes(random)
        other = max(4, round(side * random.uniform(0.4, 1)))
        size = (side, other) if random.random() < 0.8 else (other, side)
        return trace(draw(lines, size), pen)
    return rewrite(digits[random.integers(len(digits))], random, side, pen)


def rewrite(pixels: Pixels, random: Random, side: int, pen: float, stretched: float = 0.25) -> Ink:
    """Write along the middle of the strokes of a digit or letter, a little wider and slanted.

    Args:
        pixels: ``(height, width)`` uint8, light on black; margins do not matter.
        random: chooses width and slant.
        side: pixels; about the longer side.
        pen: pixels; half the width of the strokes.
        stretched: largest change of the width, as a fraction.

    Returns:
        The ink without margins.
    """
    middle = find_middle(pixels, side).astype(np.float32)
    lines = stretch(middle, random, stretched)
    return trace(lines > 0.4 * lines.max(), pen)


def stretch(ink: Ink, random: Random, most: float = 0.25) -> Ink:
    """Make ink wider or narrower by a fraction of its width, and slant it."""
    width = max(4, round(ink.shape[1] * random.uniform(1 - most, 1 + most)))
    picture = Image.fromarray(ink).resize((width, len(ink)), Image.Resampling.BILINEAR)
    wide = np.asarray(picture)
    tangent = random.normal(0, 0.15)
    padded = np.pad(wide, ((0, 0), (len(wide) // 4,) * 2))
    offset = [0, -tangent * len(wide) / 2]
    return ndimage.affine_transform(padded, [[1, 0], [tangent, 1]], offset, order=1)


def draw_digit(random: Random) -> Lines:
    """Draw a digit with straight strokes; its corners may be round."""
    return vary_straight(int(random.integers(len(STRAIGHT_DIGITS))), random)


def vary_straight(number: int, random: Random) -> Lines:
    """Draw one of the digits with straight strokes; its corners may be round."""
    _, points = STRAIGHT_DIGITS[number]
    lines = [np.array(line) + random.normal(0, 0.03, (len(line), 2)) for line in points]
    return [smooth(line, random.uniform(0.1, 5)) for line in lines]


def draw_strokes(random: Random) -> Lines:
    """Draw one to three strokes at random, some with right angles."""
    lines = []
    for number in range(random.integers(1, 4)):
        points = random.uniform(0, 1, (random.integers(2 if number else 3, 6), 2))
        if random.random() < 0.5:
            for i in range(1, len(points)):
                if random.random() < 0.6:
                    points[i, i % 2] = points[i - 1, i % 2] + random.normal(0, 0.04)
        lines.append(smooth(points, random.uniform(1, 5)) if random.random() < 0.5 else points)
    return lines


def draw(lines: Lines, size: tuple[int, int]) -> Mask:
    """Draw lines of one pixel's width into a mask of a height and width."""
    mask = np.zeros(size, bool)
    for line in lines:
        points = np.clip(line, 0, 1) * [size[0] - 1, size[1] - 1]
        for start, end in pairwise(points):
            steps = np.linspace(0, 1, int(np.abs(end - start).max()) + 2)[:, np.newaxis]
            rows, columns = np.rint(start + (end - start) * steps).astype(int).T
            mask[rows, columns] = True
    return mask


def find_middle(pixels: Pixels, side: int) -> Mask:
    """Scale a glyph so that its longer side is ``side`` pixels, and find its strokes' middle."""
    scale = side / max(trim(pixels).shape)
    size = [max(3, round(scale * length)) for length in pixels.shape[::-1]]
    large = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
    inside = ndimage.distance_transform_edt(large > _INSIDE * large.max())
    half = np.percentile(inside[inside > 0], 90)  # of a stroke's width
    return (inside >= ndimage.maximum_filter(inside, 3) - 0.5) & (inside > 0.4 * half)


def trace(middle: Mask, pen: float) -> Ink:
    """Trace lines with a round pen of a radius in pixels; return the ink without margins."""
    distance = ndimage.distance_transform_edt(~np.pad(middle, int(pen) + 2))
    ink = np.clip(pen - distance + 0.5, 0, 1).astype(np.float32)
    return trim(ink)


def trim(ink: NDArray[Any]) -> NDArray[Any]:
    """Remove blank margins."""
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def smooth(points: NDArray[np.floating], amount: float, count: int = 60) -> NDArray[np.floating]:
    """Round the corners of a line, and return ``count`` points of it."""
    if len(points) < 3:
        return points
    at = np.linspace(0, len(points) - 1, count)
    dense = np.stack([np.interp(at, np.arange(len(points)), axis) for axis in points.T], axis=1)
    return ndimage.gaussian_filter1d(dense, amount, axis=0, mode="nearest")


def _put(page: Ink, glyph: Ink, top: int, left: int) -> None:
    """Add the part of a glyph that is within the page."""
    glyph = glyph[max(0, -top) :, max(0, -left) :]
    part = page[max(0, top) :, max(0, left) :][: glyph.shape[0], : glyph.shape[1]]
    np.maximum(part, glyph[: part.shape[0], : part.shape[1]], out=part)
