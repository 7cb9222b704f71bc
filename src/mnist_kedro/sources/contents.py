"""Describe the arrays of a file without reading them, and memory-map decompressed values."""

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
_PIECE_BYTES = 2**20  # decompressed per step
# tempfile raises ENOENT if it cannot write to any folder, for example because the disk is full.
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.ENOENT}


@dataclass(frozen=True)
class StoredArray:
    """An array in a file: its name, shape and dtype, and a function that reads a part of it.

    ``read(axis, rows)`` returns the slice ``rows`` along ``axis``. Arrays with the same ``origin``
    are one array with several names.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    read: Callable[[int, slice], np.ndarray]
    origin: str = ""

    @property
    def identity(self) -> str:
        """Return a key that is the same for all names of this array."""
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
    scattered: bool  # the rows are listed one by one, instead of by start and stop


@dataclass(frozen=True)
class Contents:
    """The arrays of a file by name, and other properties that identify its layout.

    ``form`` names a format that has only one layout, such as IDX.

    Raises:
        InputError: if a name is not printable or longer than 500 characters, because error messages
            contain the names.
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
                    f"{self.path}: name '{ascii(name)[1:60]}' is not printable or longer than "
                    f"{_MAX_NAME} characters; rename it, or download the file again."
                )


def select_rows(array: np.ndarray, axis: int, rows: slice) -> np.ndarray:
    """Return the slice ``rows`` of an array along an axis."""
    return array[(slice(None),) * axis + (rows,)]


def describe_array(name: str, array: np.ndarray) -> StoredArray:
    """Describe an array that is in memory or memory-mapped."""
    return StoredArray(name, array.shape, array.dtype, partial(select_rows, array))


@contextmanager
def report_corruption(path: Path, fault: str) -> Iterator[None]:
    """Raise an InputError instead of the exceptions that a corrupt file causes.

    Args:
        path: path of the file, for the message.
        fault: what is wrong with the file, for the message.
    """
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
def report_full_disk(path: Path, max_bytes: int) -> Iterator[None]:
    """Raise an InputError about ``path`` if the temporary folder has too little space."""
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
    """Decompress up to ``max_bytes`` bytes to a temporary file, and memory-map them.

    The operating system removes the temporary file when the array and its views are
    garbage-collected, or when the process ends.

    Returns:
        The bytes as a read-only array of uint8.

    Raises:
        InputError: if the temporary folder has too little space; the message names ``path``.
    """
    with report_full_disk(path, max_bytes), tempfile.TemporaryFile() as copy:
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
