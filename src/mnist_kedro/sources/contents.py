"""Describe the contents of a file before its values are read, and map compressed values."""

import errno
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np

from mnist_kedro.errors import InputError

_MAX_NAME = 500  # characters
_PIECE_BYTES = 2**20  # decompressed at once
# tempfile raises ENOENT if it cannot write to any folder, for example because the disk is full.
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.ENOENT}


@dataclass(frozen=True)
class StoredArray:
    """An array in a file: its name, shape and dtype, and a function that reads a part of it.

    ``read(axis, rows)`` returns the array restricted to those rows of that axis. Arrays with the
    same ``origin`` are one array under several names.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    read: Callable[[int, slice], np.ndarray]
    origin: str = ""

    @property
    def identity(self) -> str:
        """Return what all names of this array have in common."""
        return f"#{self.origin}" if self.origin else self.name

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

    Raises:
        InputError: if a name is not printable, since errors have to name the arrays.
    """

    path: Path
    arrays: Mapping[str, StoredArray]
    form: str = ""
    groups: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()
    fuel: tuple[FuelRange, ...] = ()

    def __post_init__(self) -> None:
        for name in (*self.arrays, *self.groups):
            if not name.isprintable() or len(name) > _MAX_NAME:
                raise InputError(
                    f"{self.path}: '{ascii(name)[1:60]}' should be a printable name of at most "
                    f"{_MAX_NAME} characters; rename it, or copy or download the file again."
                )


def select_rows(array: np.ndarray, axis: int, rows: slice) -> np.ndarray:
    """Return an array restricted to some rows of an axis."""
    return array[(slice(None),) * axis + (rows,)]


def in_memory(name: str, array: np.ndarray) -> StoredArray:
    """Describe an array that is already in memory, or mapped into it."""
    return StoredArray(name, array.shape, array.dtype, partial(select_rows, array))


@contextmanager
def corruption_reported(path: Path, fault: str) -> Iterator[None]:
    """Raise an InputError instead of the exceptions that a corrupt file causes."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _NO_SPACE:
            raise
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: {fault}; copy or download it again ({reason}).") from error


@contextmanager
def space_reported(path: Path, max_bytes: int) -> Iterator[None]:
    """Raise an InputError that names ``path`` if the temporary folder has too little space."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_SPACE:
            raise
        raise InputError(
            f"{path}: cannot be decompressed in {tempfile.tempdir or 'any temporary folder'} "
            f"({error.strerror}); set the environment variable TMPDIR to a folder with "
            f"{max_bytes:,} bytes of free space."
        ) from error


def map_decompressed(file: IO[bytes], max_bytes: int, path: Path) -> np.ndarray:
    """Decompress up to ``max_bytes`` bytes to a temporary file; return them as read-only uint8.

    The array is mapped into memory. The operating system removes the temporary file when the array
    and its views are garbage-collected, or when the process ends.

    Raises:
        InputError: if the temporary folder has too little space; names ``path``.
    """
    with space_reported(path, max_bytes), tempfile.TemporaryFile() as copy:
        while piece := file.read(min(_PIECE_BYTES, max_bytes - copy.tell())):
            copy.write(piece)
        copy.flush()
        return np.memmap(copy, np.uint8, "r")


class OpenFile:
    """A file that stays open until it is closed or garbage-collected."""

    def __init__(self, opening: AbstractContextManager[Contents]) -> None:
        """Enter a context manager that opens a file, such as ``open_source(path, max_digits)``."""
        with ExitStack() as stack:
            self.contents = stack.enter_context(opening)
            self.close = weakref.finalize(self, stack.pop_all().close)
