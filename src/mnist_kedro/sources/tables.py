"""Split tables with a label and 784 pixels per row, such as CSV files of MNIST."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from mnist_kedro.contracts import CLASSES, IMAGE_SIDE
from mnist_kedro.sources.contents import StoredArray, select_rows

_COLUMNS = IMAGE_SIDE**2 + 1
_SLICES, _ROWS = 20, 50  # samples of a table, which may be sorted by class


def split_tables(arrays: Mapping[str, StoredArray]) -> dict[str, StoredArray]:
    """Replace each array ``(n, 785)`` or ``(785, n)`` with its pixels and its labels.

    The labels are the first or the last column; their name is the array's name plus " labels".
    """
    result: dict[str, StoredArray] = {}
    for name, table in arrays.items():
        column = _label_column(table)
        if column is None:
            result[name] = table
        else:
            pixels = slice(1, None) if column == 0 else slice(0, -1)
            result[name] = _select_columns(table, name, pixels)
            result[f"{name} labels"] = _select_columns(
                table, f"{name} labels", slice(column, column + 1)
            )
    return result


def _label_column(table: StoredArray) -> int | None:
    """Return the first or last column if it has different integers in 0–10; otherwise None."""
    if len(table.shape) != 2 or _COLUMNS not in table.shape or table.dtype.kind not in "buif":
        return None
    axis = 1 - table.shape.index(_COLUMNS)
    starts = np.linspace(0, max(0, table.shape[axis] - _ROWS), _SLICES).astype(int)
    sample = np.concatenate(
        [
            np.moveaxis(table.read(axis, slice(start, start + _ROWS)), axis, 0)
            for start in np.unique(starts)
        ]
    )
    for column in (0, _COLUMNS - 1):
        values = np.unique(sample[:, column])
        if len(values) > 1 and np.isin(values, np.arange(CLASSES + 1)).all():
            return column
    return None


def _select_columns(table: StoredArray, name: str, columns: slice) -> StoredArray:
    """Describe some columns of a table as an array."""
    across = table.shape.index(_COLUMNS)
    length = len(range(*columns.indices(_COLUMNS)))
    shape = tuple(length if axis == across else n for axis, n in enumerate(table.shape))

    def read(axis: int, rows: slice) -> np.ndarray:
        return select_rows(table.read(axis, rows), across, columns)

    return replace(table, name=name, shape=shape, read=read)
