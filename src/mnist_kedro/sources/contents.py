"""What a file holds, described before any of it is read."""

import weakref
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class StoredArray:
    """An array in a file: its name, shape and type, and a way to read some of it.

    ``read(axis, rows)`` gives the array cut to those rows of that axis.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    read: Callable[[int, slice], np.ndarray]

    @property
    def size(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape, dtype=object))


@dataclass(frozen=True)
class FuelRange:
    """A row of the ``split`` attribute of a Fuel file: where a split of a source lies."""

    split: str
    source: str
    start: int
    stop: int
    scattered: bool  # its rows are listed elsewhere instead


@dataclass(frozen=True)
class Contents:
    """The arrays of a file by their names, and what else shows its layout.

    ``form`` names a format that has one layout only, such as IDX.
    """

    path: Path
    arrays: Mapping[str, StoredArray]
    form: str = ""
    groups: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()
    fuel: tuple[FuelRange, ...] = ()


def in_memory(name: str, array: np.ndarray) -> StoredArray:
    """Describe an array that was read already."""
    return StoredArray(
        name, array.shape, array.dtype, lambda axis, rows: array[(slice(None),) * axis + (rows,)]
    )


class OpenFile:
    """A file that stays open until it is closed or nothing refers to it any more."""

    def __init__(self, opening: AbstractContextManager[Contents]) -> None:
        """``opening`` is a file to be opened, such as ``open_hdf5(path)``."""
        with ExitStack() as stack:
            self.contents = stack.enter_context(opening)
            self.close = weakref.finalize(self, stack.pop_all().close)
