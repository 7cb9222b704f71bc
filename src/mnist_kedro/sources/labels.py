"""Convert labels to ``(n,)`` uint8 in 0–9, in whatever form they are stored."""

import numpy as np
from numpy.typing import NDArray

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
    if count not in array.shape or not (array.size == count or one_hot):
        raise InputError(
            f"{where} should be the labels of {count} images, of shape ({count},), ({count}, 1) or "
            f"({count}, {CLASSES}), but is {array.shape}."
        )
    axis = array.shape.index(count)
    values = array.read(axis, rows)
    labels, wrong = _from_one_hot(values) if one_hot else _from_numbers(values.reshape(-1))
    if wrong.any():
        row = int(wrong.argmax())
        value = values.reshape(len(wrong), -1)[row].tolist()
        found = f"row {row} is {value}" if one_hot else f"label {row} is {value[0]}"
        expected = "one-hot, one 1 and nine 0s in each row" if one_hot else "labels 0–9"
        raise InputError(
            f"{where} should be {expected}, but {found} ({wrong.sum()} of {len(wrong)} are wrong)."
        )
    if one_hot:
        return labels, f"labels one-hot {array.dtype}"
    if array.dtype.kind in "ui" and len(array.shape) == 1:
        return labels, ""
    kind = "text" if array.dtype.kind == "S" else array.dtype
    return labels, f"labels {kind} {describe_shape(array.shape, axis)}"


def _from_one_hot(rows: np.ndarray) -> tuple[Labels, NDArray[np.bool_]]:
    """Return the labels, and which rows are not one-hot."""
    rows = rows.reshape(-1, CLASSES)
    hot = rows == 1
    wrong = (hot.sum(axis=1) != 1) | ((rows != 0).sum(axis=1) != 1)
    return hot.argmax(axis=1).astype(np.uint8), wrong


def _from_numbers(values: np.ndarray) -> tuple[Labels, NDArray[np.bool_]]:
    """Return the labels, and which values are not labels."""
    if values.dtype.kind == "S":
        texts = np.char.strip(values)
        wrong = ~(np.char.isdigit(texts) & (np.char.str_len(texts) == 1))
        return np.where(wrong, b"0", texts).astype(np.uint8), wrong
    with np.errstate(invalid="ignore"):
        wrong = ~((values >= 0) & (values < CLASSES) & (values == np.trunc(values)))
    return np.where(wrong, 0, values).astype(np.uint8), wrong
