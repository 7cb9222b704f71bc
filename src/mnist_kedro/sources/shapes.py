"""Recognize the shapes in which images of 28 × 28 are stored."""

from mnist_kedro.contracts import IMAGE_SIDE
from mnist_kedro.sources.contents import StoredArray

_IMAGE_SHAPES = ((IMAGE_SIDE, IMAGE_SIDE), (IMAGE_SIDE**2,))

EXPECTED = "(n, 28, 28), (n, 784), (n, 28, 28, 1) or (n, 1, 28, 28)"


def rows_axis(shape: tuple[int, ...]) -> int | None:
    """Return the axis along which the images are stored; None if they are not images of 28 × 28.

    Axes of length 1 are allowed anywhere.
    """
    for axis in range(len(shape)):
        image = tuple(length for length in shape[axis + 1 :] if length != 1)
        if image in _IMAGE_SHAPES and all(length == 1 for length in shape[:axis]):
            return axis
    return None


def describe_shape(shape: tuple[int, ...], axis: int) -> str:
    """Write a shape with n for the length of the axis along which the digits are stored."""
    lengths = ["n" if i == axis else str(length) for i, length in enumerate(shape)]
    return f"({', '.join(lengths)}{',' if len(shape) == 1 else ''})"


def count_images(array: StoredArray) -> int | None:
    """Return the number of images of 28 × 28 in an array; None if it holds something else."""
    axis = rows_axis(array.shape)
    return None if axis is None else array.shape[axis]
