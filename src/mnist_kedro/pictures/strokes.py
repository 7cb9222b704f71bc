"""Find the strokes of a digit among what stands out from the paper."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Ink = NDArray[np.float32]  # (height, width), 0 paper, 1 ink

EIGHT_NEIGHBORS = np.ones((3, 3), bool)  # Pixels that touch at a corner belong to one stroke.
_FAINT, _CLEAR = 0.35, 0.84  # ink of each pixel of a stroke, and of its clearest pixel
_CENTRAL = 2.0  # how much strokes in the middle are preferred
_AT_ONE_SIDE, _NOT_WRITTEN = 0.5, 0.05  # weights of strokes that may not belong to the writing
_LONG, _THIN = 0.9, 6  # A line is longer than this part of the picture, and so much as it is wide.
_NEAR_SIDE, _FRAME = 0.15, 0.85  # of a stroke's length; share of a frame's pixels near its box
_ALONG = 0.6  # of a stroke's length, on the border
_NEAR = 0.25  # of the main stroke's length
_MIN_MASS = 0.04  # of the main stroke's


class Strokes(NamedTuple):
    """Connected strokes of ink."""

    labels: NDArray[np.int32]  # (height, width), 0 outside of strokes, else the stroke's number
    boxes: NDArray[np.intp]  # (n, 4): left, top, right, bottom
    mass: NDArray[np.float64]  # (n,): sum of the ink
    clear: NDArray[np.bool_]  # (n,): whether the stroke is more than a shade


def find_strokes(ink: Ink) -> Strokes:
    """Find connected strokes, numbered from 1; ``boxes[i]`` belongs to the stroke ``i + 1``."""
    labels, count = ndimage.label(ink > _FAINT, EIGHT_NEIGHBORS)
    boxes = [(c.start, r.start, c.stop, r.stop) for r, c in ndimage.find_objects(labels)]
    numbers = np.arange(1, count + 1)
    clearest = ndimage.maximum(ink, labels, numbers) if count else np.zeros(0)
    mass = np.bincount(labels.ravel(), ink.ravel(), count + 1)[1:].astype(np.float64)
    return Strokes(labels, np.array(boxes, np.intp).reshape(-1, 4), mass, clearest >= _CLEAR)


def cover(strokes: Strokes, numbers: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return the pixels of strokes, and those that touch them."""
    return ndimage.binary_dilation(np.isin(strokes.labels, numbers), EIGHT_NEIGHBORS)


def is_writing(strokes: Strokes) -> NDArray[np.bool_]:
    """Tell writing from long thin lines, and from frames and shadows at the picture's border.

    A digit that runs off the picture touches its border, too, but does not run along it, and has
    ink within its box, unlike a corner of a frame.
    """
    height, width = strokes.labels.shape
    left, top, right, bottom = strokes.boxes.T
    longer, shorter = (f(right - left, bottom - top) for f in (np.maximum, np.minimum))
    spans = np.maximum((right - left) / width, (bottom - top) / height) > _LONG
    foreign = (_share_at_box(strokes) > _FRAME) | (_count_at_border(strokes) > _ALONG * longer)
    return ~((_count_sides(strokes) > 1) & foreign) & ~(spans & (longer > _THIN * shorter))


def _share_at_box(strokes: Strokes) -> NDArray[np.float64]:
    """Return the share of each stroke's pixels that are near the sides of its box."""
    rows, columns = np.nonzero(strokes.labels)
    number = strokes.labels[rows, columns] - 1
    left, top, right, bottom = strokes.boxes[number].T
    near = _NEAR_SIDE * np.maximum(right - left, bottom - top)
    distance = np.minimum.reduce(
        [columns - left, rows - top, right - 1 - columns, bottom - 1 - rows]
    )
    count = len(strokes.boxes)
    return np.bincount(number, distance < near, count) / np.bincount(number, minlength=count)


def _count_at_border(strokes: Strokes) -> NDArray[np.intp]:
    """Count the pixels of each stroke on the picture's border."""
    labels = strokes.labels
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return np.bincount(border, minlength=len(strokes.boxes) + 1)[1:]


def _count_sides(strokes: Strokes) -> NDArray[np.intp]:
    """Count the sides of the picture that each stroke touches."""
    height, width = strokes.labels.shape
    left, top, right, bottom = strokes.boxes.T
    return np.sum([left == 0, top == 0, right == width, bottom == height], axis=0)


def find_main_stroke(strokes: Strokes) -> int | None:
    """Return the number of the stroke that the picture shows; None if there is no clear stroke.

    It is long, has much ink and is in the middle. Strokes at the picture's border, and long thin
    lines, are more likely to be shadows, the page's edge, ruling or frames.
    """
    if not strokes.clear.any():
        return None
    return int(np.where(strokes.clear, _weigh(strokes), -1).argmax()) + 1


def select_near(strokes: Strokes, number: int) -> NDArray[np.intp]:
    """Return the numbers of a stroke and of those near it that may belong to the same digit.

    Strokes near those are selected, too, because a faint line may be broken into many.
    """
    main = number - 1
    sides = _count_sides(strokes)
    possible = strokes.clear & is_writing(strokes) & ((sides == 0) | (sides[main] > 0))
    selected = np.zeros(len(strokes.mass), bool)
    selected[main] = True
    while True:
        near = possible & (_gaps(strokes, selected) < _NEAR * _length(strokes, selected))
        grown = selected | (near & (strokes.mass > _MIN_MASS * strokes.mass[selected].sum()))
        if (grown == selected).all():
            return np.flatnonzero(selected) + 1
        selected = grown


def _gaps(strokes: Strokes, selected: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return how far the box of each stroke is from the box around the selected ones."""
    left, top, right, bottom = strokes.boxes.T
    return np.maximum.reduce(
        [
            left - right[selected].max(),
            left[selected].min() - right,
            top - bottom[selected].max(),
            top[selected].min() - bottom,
        ]
    )


def _length(strokes: Strokes, selected: NDArray[np.bool_]) -> int:
    left, top, right, bottom = strokes.boxes[selected].T
    return int(max(right.max() - left.min(), bottom.max() - top.min()))


def _weigh(strokes: Strokes) -> NDArray[np.float64]:
    height, width = strokes.labels.shape
    left, top, right, bottom = strokes.boxes.T
    across, down = (left + right) / 2 / width - 0.5, (top + bottom) / 2 / height - 0.5
    central = np.exp(-_CENTRAL * (across**2 + down**2))
    inside = np.where(_count_sides(strokes), _AT_ONE_SIDE, 1.0)
    trust = np.where(is_writing(strokes), inside, _NOT_WRITTEN)
    return np.sqrt(strokes.mass) * np.hypot(right - left, bottom - top) * central * trust
