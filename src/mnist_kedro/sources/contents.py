"""Describe the contents of a file before its values are read."""

import weakref
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class StoredArray:
    """An array in a file: its name, shape and dtype, and a function that reads a part of it.

    ``read(axis, rows)`` returns the array restricted to those rows of that axis.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    read: Callable[[int, slice], np.ndarray]

    @property
    def size(self) -> int:
        """Return the number of values."""
        return int(np.prod(self.shape, dtype=object))


@dataclass(frozen=True)
class FuelRange:
    """A row of a Fuel file's ``split`` attribute: the rows of a source that form a split."""

    split: str
    source: str
    start: int
    stop: int
    scattered: bool  # the rows are listed one by one elsewhere, instead of by start and stop


@dataclass(frozen=True)
class Contents:
    """The arrays of a file by name, and whatever else identifies its layout.

    ``form`` names a format that has only one layout, such as IDX.
    """

    path: Path
    arrays: Mapping[str, StoredArray]
    form: str = ""
    groups: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()
    fuel: tuple[FuelRange, ...] = ()


def select_rows(array: np.ndarray, axis: int, rows: slice) -> np.ndarray:
    """Return an array restricted to some rows of an axis."""
    return array[(slice(None),) * axis + (rows,)]


def in_memory(name: str, array: np.ndarray) -> StoredArray:
    """Describe an array that is already in memory."""
    return StoredArray(name, array.shape, array.dtype, partial(select_rows, array))


class OpenFile:
    """A file that stays open until it is closed or garbage-collected."""

    def __init__(self, opening: AbstractContextManager[Contents]) -> None:
        """Enter a context manager that opens a file, such as ``open_hdf5(path)``."""
        with ExitStack() as stack:
            self.contents = stack.enter_context(opening)
            self.close = weakref.finalize(self, stack.pop_all().close)
