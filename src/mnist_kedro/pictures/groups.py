"""Group strokes into digits."""

from typing import NamedTuple

import numpy as np

from mnist_kedro.pictures.strokes import Ink, Strokes, cover, is_writing

_MIN_OVERLAP = 0.5  # of the narrower stroke's width, for two strokes to belong to one digit
_MAX_GAP = 0.3  # of the taller stroke's height, between strokes above each other
_MAX_BAR_HEIGHT = 0.45  # of the stroke beside it; a lower stroke is no digit by itself
_MAX_BAR_GAP = 0.15  # of the taller stroke's height
_MIN_FULL_HEIGHT, _MIN_FULL_MASS = 0.5, 0.4  # of the largest digit
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
                digits[i] = Group(
                    [*other.numbers, *stroke.numbers],
                    min(stroke.left, other.left),
                    min(stroke.top, other.top),
                    max(stroke.right, other.right),
                    max(stroke.bottom, other.bottom),
                )
                break
        else:
            digits.append(stroke)
    tallest = max((digit.height for digit in digits), default=0)
    return [digit for digit in digits if digit.height >= _MIN_DIGIT_HEIGHT * tallest]


def find_full_digits(strokes: Strokes) -> list[Group]:
    """Return the groups of written strokes that are no parts or specks beside a larger digit."""
    groups = group_strokes(strokes._replace(clear=strokes.clear & is_writing(strokes)))
    masses = [strokes.mass[np.array(group.numbers) - 1].sum() for group in groups]
    tallest = max((group.height for group in groups), default=0)
    return [
        group
        for group, mass in zip(groups, masses, strict=True)
        if group.height > _MIN_FULL_HEIGHT * tallest and mass > _MIN_FULL_MASS * max(masses)
    ]


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
