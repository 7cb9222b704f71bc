"""Convert labels in any stored form to ``(n,)`` uint8."""

import numpy as np
from numpy.typing import NDArray

from mnist_kedro.contracts import CLASSES, Labels
from mnist_kedro.errors import InputError
from mnist_kedro.sources.contents import StoredArray
from mnist_kedro.sources.images import Images
from mnist_kedro.sources.layout import Piece
from mnist_kedro.sources.shapes import describe_shape


def labels_of(piece: Piece, where: str, limit: int = CLASSES) -> tuple[Labels, str]:
    """Return a piece's labels and their stored form, with the errors of :func:`read_labels`."""
    images = Images(piece.images, slice(None), where)
    if isinstance(piece.labels, int):
        return np.full(len(images), piece.labels, np.uint8), ""
    return read_labels(piece.labels, len(images), piece.rows, where, limit)


def read_labels(
    array: StoredArray, count: int, rows: slice, where: str, limit: int = CLASSES
) -> tuple[Labels, str]:
    """Read labels stored as numbers of any type, decimal text, or one-hot rows or columns.

    Args:
        array: array of ``count`` or ``count`` × 10 values, with axes of length 1 anywhere.
        count: number of images in the array of images.
        rows: the rows whose labels are read.
        where: the file's path, for error messages.
        limit: largest valid label plus 1.

    Returns:
        The labels, and a description of their stored form; empty for ``(n,)`` integers.

    Raises:
        InputError: if there are more or fewer than ``count`` labels, or one is out of range.
    """
    where = f"{where}: '{array.name}'"
    lengths = [length for length in array.shape if length != 1]
    one_hot = array.size == count * CLASSES and sorted(lengths) == sorted(
        n for n in (count, CLASSES) if n != 1
    )
    if array.dtype.kind not in "buifSU":
        raise InputError(
            f"{where} should be labels 0–9, but is {array.shape} {array.dtype}; save them as "
            "integers."
        )
    if count not in array.shape or not (array.size == count or one_hot):
        raise InputError(
            f"{where} should be the labels of {count} images, of shape ({count},), ({count}, 1) or "
            f"({count}, {CLASSES}), but is {array.shape}; save a label for each image."
        )
    axis = array.shape.index(count)
    values = np.moveaxis(array.read(axis, rows), axis, 0)
    labels, wrong = _from_one_hot(values) if one_hot else _from_numbers(values.reshape(-1), limit)
    if wrong.any():
        row = int(wrong.argmax())
        value = values.reshape(len(wrong), -1)[row].tolist()
        found = f"row {row} is {value}" if one_hot else f"label {row} is {value[0]}"
        labels_expected = "labels 0–9 or 1–10" if limit > CLASSES else f"labels 0–{limit - 1}"
        expected = "one-hot, one 1 and nine 0s for each image" if one_hot else labels_expected
        remedy = "save all labels as integers" if wrong.all() else "remove or correct these digits"
        raise InputError(
            f"{where} should be {expected}, but {found} ({wrong.sum()} of {len(wrong)} are wrong); "
            f"{remedy}."
        )
    if one_hot:
        return labels, f"labels one-hot {array.dtype}"
    if array.dtype.kind in "ui" and len(array.shape) == 1:
        return labels, ""
    kind = "text" if array.dtype.kind in "SU" else array.dtype
    return labels, f"labels {kind} {describe_shape(array.shape, axis)}"


def _from_one_hot(rows: np.ndarray) -> tuple[Labels, NDArray[np.bool_]]:
    """Return the labels, and which rows do not consist of one high and nine equal low values."""
    rows = rows.reshape(-1, CLASSES)
    low, high = rows.min(axis=1, keepdims=True), rows.max(axis=1, keepdims=True)
    hot = rows == high
    wrong = (hot.sum(axis=1) != 1) | ((rows == low).sum(axis=1) != CLASSES - 1)
    return hot.argmax(axis=1).astype(np.uint8), wrong


def _from_numbers(values: np.ndarray, limit: int) -> tuple[Labels, NDArray[np.bool_]]:
    """Return the labels, and which values are not integers from 0 to below the limit."""
    if values.dtype.kind in "SU":
        # Bytes that are not ASCII become letters, which are not labels.
        texts = values if values.dtype.kind == "U" else np.char.decode(values, "latin-1")
        texts = np.char.strip(texts)
        wrong = ~np.isin(texts, [str(label) for label in range(limit)])
        values = np.where(wrong, "0", texts).astype(np.int64)
    else:
        wrong = np.zeros(len(values), bool)
    with np.errstate(invalid="ignore"):
        wrong |= ~((values >= 0) & (values < limit) & (values == np.trunc(values)))
    return np.where(wrong, 0, values).astype(np.uint8), wrong
