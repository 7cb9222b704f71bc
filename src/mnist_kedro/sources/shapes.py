"""Recognize the shapes in which images of 28 × 28 are stored."""

import math
from typing import NamedTuple

import numpy as np

from mnist_kedro.contracts import IMAGE_SIDE
from mnist_kedro.sources.contents import StoredArray

EXPECTED = (
    "(n, 28, 28) or (n, 784), with n also last, with 1, 3 or 4 channels, "
    "or padded to (n, 32, 32) with blank pixels"
)
_SIDES = range(IMAGE_SIDE, 65, 2)  # sides of images, with equal padding on all sides
_FLAT_SIDES = (IMAGE_SIDE, 32)  # vectors of other lengths are more likely something else
_COLORS = (3, 4)  # channels: RGB, RGBA


class ImageShape(NamedTuple):
    """The axis of images in an array, their side length with padding, and their channels."""

    axis: int
    side: int
    channels: int = 1
    channels_first: bool = False

    @property
    def is_plain(self) -> bool:
        """Return whether the images are gray and not padded."""
        return self.side == IMAGE_SIDE and self.channels == 1

    def unpack(self, values: np.ndarray) -> np.ndarray:
        """Return values of this shape as ``(n, side, side, channels)``."""
        rows = np.moveaxis(values, self.axis, 0)
        if self.channels_first:
            rows = rows.reshape(-1, self.channels, self.side, self.side)
            return np.moveaxis(rows, 1, -1)
        return rows.reshape(-1, self.side, self.side, self.channels)


def image_shape(shape: tuple[int, ...]) -> ImageShape | None:
    """Recognize how an array stores images; None if it holds something else.

    Axes of length 1 are allowed anywhere. If a shape is ambiguous, gray images of 28 × 28 are
    preferred, then images along the first axis.
    """
    found = [
        ImageShape(axis, *image)
        for axis in range(len(shape))
        if (image := _image(tuple(n for n in shape[:axis] + shape[axis + 1 :] if n != 1)))
    ]
    return min(found, key=lambda one: (not one.is_plain, one.axis), default=None)


def _image(lengths: tuple[int, ...]) -> tuple[int, int, bool] | None:
    """Return the side length, the number of channels, and whether the channels are first."""
    match lengths:
        case (length,) if math.isqrt(length) ** 2 == length and math.isqrt(length) in _FLAT_SIDES:
            return math.isqrt(length), 1, False
        case (height, width) if height == width and height in _SIDES:
            return height, 1, False
        case (height, width, channels) if height == width and height in _SIDES:
            return (height, channels, False) if channels in _COLORS else None
        case (channels, height, width) if height == width and height in _SIDES:
            return (height, channels, True) if channels in _COLORS else None
    return None


def describe_shape(shape: tuple[int, ...], axis: int) -> str:
    """Format a shape, with n for the length of the axis of the images."""
    lengths = ["n" if i == axis else str(length) for i, length in enumerate(shape)]
    return f"({', '.join(lengths)}{',' if len(shape) == 1 else ''})"


def count_images(array: StoredArray) -> int | None:
    """Return the number of images in an array; None if it holds something else."""
    shape = image_shape(array.shape)
    return None if shape is None else array.shape[shape.axis]
