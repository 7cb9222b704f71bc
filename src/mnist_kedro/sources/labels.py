"""Convert labels to ``(n,)`` uint8 in 0–9, in whatever form they are stored."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mnist_kedro.arrays import BLOCK
from mnist_kedro.contracts import CLASSES, Labels
from mnist_kedro.errors import InputError
from mnist_kedro.sources.contents import StoredArray
from mnist_kedro.sources.layout import Piece
from mnist_kedro.sources.pixels import Images
from mnist_kedro.sources.shapes import describe_shape


def labels_of(piece: Piece, where: str) -> tuple[Labels, str]:
    """Return a piece's labels and their stored form; raise the errors of :func:`read_labels`."""
    images = Images(piece.images, slice(None), where)
    if isinstance(piece.labels, int):
        return np.full(len(images), piece.labels, np.uint8), ""
    return read_labels(piece.labels, len(images), piece.rows, where)


def read_labels(array: StoredArray, count: int, rows: slice, where: str) -> tuple[Labels, str]:
    """Read labels that are numbers of any type, decimal text, or one-hot rows.

    Args:
        array: of ``count`` or ``count`` × 10 values, with axes of length 1 anywhere.
        count: number of images in all rows.
        rows: whose labels are read.
        where: the file's path, for error messages.

    Returns:
        The labels, and a description of their stored form; empty if that is ``(n,)`` integers.

    Raises:
        InputError: if there are more or fewer than ``count`` labels, or one is not in 0–9.
    """
    where = f"{where}: '{array.name}'"
    one_hot = array.size == count * CLASSES and array.shape[-1:] == (CLASSES,)
    if array.dtype.kind not in "buifS":
        raise InputError(f"{where} should be labels 0–9, but is {array.shape} {array.dtype}.")
    if array.size != count and not one_hot:
        raise InputError(
            f"{where} should be the labels of {count} images, of shape ({count},), ({count}, 1) or "
            f"({count}, {CLASSES}), but is {array.shape}."
        )
    start, stop, _ = rows.indices(count)
    convert = _from_one_hot if one_hot else _from_numbers
    labels, invalid = np.empty(max(0, stop - start), np.uint8), _InvalidLabels()
    for first, values in _label_blocks(array, count, start, stop):
        labels[first : first + len(values)] = convert(values, invalid, first)
    if invalid.count:
        raise InputError(f"{where} {invalid.describe(len(labels))}")
    if one_hot:
        return labels, f"labels one-hot {array.dtype}"
    if array.dtype.kind in "ui" and len(array.shape) == 1:
        return labels, ""
    kind = "text" if array.dtype.kind == "S" else array.dtype
    return labels, f"labels {kind} {describe_shape(array.shape, array.shape.index(count))}"


def _label_blocks(
    array: StoredArray, count: int, start: int, stop: int
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield blocks ``(rows, values per label)``, each after the number of its first row."""
    if array.shape[0] != count:  # axes of length 1 come first
        yield 0, array.read(0, slice(None)).reshape(count, -1)[start:stop]
        return
    for first in range(start, stop, BLOCK):
        rows = slice(first, min(first + BLOCK, stop))
        yield first - start, array.read(0, rows).reshape(rows.stop - rows.start, -1)


class _InvalidLabels:
    """The number of invalid labels, and a description of the first one."""

    def __init__(self) -> None:
        self.count, self._first = 0, ""

    def add(self, wrong: NDArray[np.bool_], values: np.ndarray, first: int, template: str) -> None:
        if wrong.any() and not self.count:
            row = int(wrong.argmax())
            self._first = template.format(row=first + row, value=values[row].tolist())
        self.count += int(wrong.sum())

    def describe(self, total: int) -> str:
        return f"{self._first} ({self.count} of {total} are wrong)."


def _from_one_hot(values: np.ndarray, invalid: _InvalidLabels, first: int) -> Labels:
    hot = values == 1
    wrong = (hot.sum(axis=1) != 1) | ((values != 0).sum(axis=1) != 1)
    template = "should be one-hot, one 1 and nine 0s in each row, but row {row} is {value}"
    invalid.add(wrong, values, first, template)
    return hot.argmax(axis=1).astype(np.uint8)


def _from_numbers(values: np.ndarray, invalid: _InvalidLabels, first: int) -> Labels:
    values = values.reshape(-1)
    if values.dtype.kind == "S":
        texts = np.char.strip(values)
        wrong = ~(np.char.isdigit(texts) & (np.char.str_len(texts) == 1))
        numbers = np.where(wrong, b"0", texts).astype(np.uint8)
    else:
        with np.errstate(invalid="ignore"):
            wrong = ~((values >= 0) & (values < CLASSES) & (values == np.trunc(values)))
        numbers = np.where(wrong, 0, values).astype(np.uint8)
    invalid.add(wrong, values, first, "should be labels 0–9, but label {row} is {value}")
    return numbers
