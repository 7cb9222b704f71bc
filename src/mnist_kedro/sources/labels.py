"""The ways in which labels are stored, brought to ``(n,)`` uint8 in 0–9."""

import numpy as np

from mnist_kedro.contracts import CLASSES, Labels
from mnist_kedro.errors import InputError
from mnist_kedro.sources.contents import StoredArray
from mnist_kedro.sources.shapes import describe_shape


def read_labels(array: StoredArray, count: int, rows: slice, where: str) -> tuple[Labels, str]:
    """Read the labels of images: numbers of any type, decimal text, or one-hot rows.

    Args:
        array: of ``count`` or ``count`` × 10 values, with axes of length 1 anywhere.
        count: how many images there are, in all rows.
        rows: of which the labels are wanted.
        where: the file, for a message.

    Returns:
        The labels, and how they were stored; nothing if that is as plain integers.

    Raises:
        InputError: when there are more or fewer, or one is not a digit from 0 to 9.
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
    values = array.read(0, slice(None)).reshape(count, -1)[rows]
    if one_hot:
        return _from_one_hot(values, where), f"labels one-hot {array.dtype}"
    labels = _from_numbers(values.reshape(-1), where)
    if array.dtype.kind in "ui" and len(array.shape) == 1:
        return labels, ""
    kind = "text" if array.dtype.kind == "S" else array.dtype
    return labels, f"labels {kind} {describe_shape(array.shape, array.shape.index(count))}"


def _from_one_hot(values: np.ndarray, where: str) -> Labels:
    hot = values == 1
    wrong = np.flatnonzero((hot.sum(axis=1) != 1) | ((values != 0).sum(axis=1) != 1))
    if wrong.size:
        raise InputError(
            f"{where} should be one-hot, a 1 and nine 0 in each row, but row {wrong[0]} is "
            f"{values[wrong[0]].tolist()} ({wrong.size} of {len(values)} rows are wrong)."
        )
    return hot.argmax(axis=1).astype(np.uint8)


def _from_numbers(values: np.ndarray, where: str) -> Labels:
    if values.dtype.kind == "S":
        texts = np.char.strip(values)
        wrong = ~(np.char.isdigit(texts) & (np.char.str_len(texts) == 1))
        numbers = np.where(wrong, b"0", texts).astype(np.uint8)
    else:
        with np.errstate(invalid="ignore"):
            wrong = ~((values >= 0) & (values < CLASSES) & (values == np.trunc(values)))
        numbers = np.where(wrong, 0, values).astype(np.uint8)
    if wrong.any():
        first = int(wrong.argmax())
        raise InputError(
            f"{where} should be labels 0–9, but label {first} is {values[first]} "
            f"({wrong.sum()} of {len(values)} are no digit)."
        )
    return numbers
