"""Group strokes into digits."""

from typing import NamedTuple

import numpy as np

from mnist_kedro.pictures.strokes import Ink, Strokes, cover, is_writing

_MIN_OVERLAP = 0.5  # of the narrower stroke's width, for two strokes to belong to one digit
_MAX_GAP = 0.3  # of the taller stroke's height, between strokes above each other
_MAX_BAR_HEIGHT = 0.45  # of the stroke beside it; a lower stroke is no digit by itself
_MAX_BAR_GAP = 0.15  # of the taller stroke's height
_MIN_FULL_HEIGHT, _MIN_FULL_MASS = 0.5, 0.4  # of the largest digit
_MIN_FULL_GAP = 0.12  # of the tallest digit's height
_MIN_DIGIT_HEIGHT = 0.35  # of the tallest digit

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels


class Group(NamedTuple):
    """Hold the strokes of one digit."""

    numbers: list[int]  # of strokes, from 1
    left: int
    top: int
    right: int
    bottom: int

    @property
    def box(self) -> Box:
        """Return the box around the strokes."""
        return self.left, self.top, self.right, self.bottom

    @property
    def height(self) -> int:
        """Return the height in pixels."""
        return self.bottom - self.top


def group_strokes(strokes: Strokes) -> list[Group]:
    """Merge strokes that belong to one digit, starting from the tallest; drop what is small."""
    numbers = np.flatnonzero(strokes.clear) + 1
    found = [Group([n], *strokes.boxes[n - 1].tolist()) for n in numbers.tolist()]
    digits: list[Group] = []
    for stroke in sorted(found, key=lambda stroke: -stroke.height):
        for i, other in enumerate(digits):
            if _same_digit(stroke, other):
                digits[i] = _join(other, stroke)
                break
        else:
            digits.append(stroke)
    tallest = max((digit.height for digit in digits), default=0)
    return [digit for digit in digits if digit.height >= _MIN_DIGIT_HEIGHT * tallest]


def find_full_digits(strokes: Strokes) -> list[Group]:
    """Return the groups of written strokes that are digits of their own.

    Groups with much less ink than another are parts or specks, and groups that nearly touch are
    strokes of one digit.
    """
    groups = group_strokes(strokes._replace(clear=strokes.clear & is_writing(strokes)))
    masses = [strokes.mass[np.array(group.numbers) - 1].sum() for group in groups]
    tallest = max((group.height for group in groups), default=0)
    full = [
        group
        for group, mass in zip(groups, masses, strict=True)
        if group.height > _MIN_FULL_HEIGHT * tallest and mass > _MIN_FULL_MASS * max(masses)
    ]
    digits: list[Group] = []
    for group in sorted(full, key=lambda group: group.left):
        if digits and 0 <= group.left - digits[-1].right < _MIN_FULL_GAP * tallest:
            digits[-1] = _join(digits[-1], group)
        else:
            digits.append(group)
    return digits


def _join(one: Group, other: Group) -> Group:
    return Group(
        [*one.numbers, *other.numbers],
        min(one.left, other.left),
        min(one.top, other.top),
        max(one.right, other.right),
        max(one.bottom, other.bottom),
    )


def _same_digit(stroke: Group, other: Group) -> bool:
    """Return whether a stroke belongs to a digit that is at least as tall."""
    overlap = min(stroke.right, other.right) - max(stroke.left, other.left)
    narrower = min(stroke.right - stroke.left, other.right - other.left)
    gap = max(stroke.top, other.top) - min(stroke.bottom, other.bottom)
    if overlap >= _MIN_OVERLAP * narrower:
        return gap <= _MAX_GAP * other.height
    # The bar of a five may lie beside the rest of the digit, and the left part of a four.
    low = stroke.height < _MAX_BAR_HEIGHT * other.height
    return low and -overlap <= _MAX_BAR_GAP * other.height and gap < 0


def ink_of(group: Group, strokes: Strokes, ink: Ink) -> Ink:
    """Return the ink of one digit, without the strokes of others."""
    covered = cover(strokes, np.array(group.numbers))
    others = (strokes.labels > 0) & ~np.isin(strokes.labels, group.numbers)
    return np.where(covered & ~others, ink, np.float32(0))
