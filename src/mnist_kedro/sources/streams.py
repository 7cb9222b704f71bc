"""Arrays whose rows follow one another in a stream, such as a compressed file."""

import math
from collections.abc import Callable
from typing import IO

import numpy as np

_PIECE = 2**20  # bytes read at once, so that no more is allocated than a stream has


class TooShortError(Exception):
    """A stream ends before its last row; ``held`` bytes of values are there."""

    def __init__(self, held: int) -> None:
        super().__init__(held)
        self.held = held


class TooLongError(Exception):
    """A stream goes on after its last row."""


class RowStream:
    """Reads an array in C order: its rows in their order at once, earlier ones from the beginning.

    Rows are along the first axis that is not of length 1.
    """

    def __init__(
        self, begin: Callable[[], IO[bytes]], shape: tuple[int, ...], dtype: np.dtype
    ) -> None:
        """``begin()`` opens the stream and gives it at the first value."""
        self._begin, self._shape, self._dtype = begin, shape, dtype
        self._axis = next((axis for axis, length in enumerate(shape) if length != 1), 0)
        self._count, *rest = shape[self._axis :] or (1,)
        self._row_bytes = math.prod(rest) * dtype.itemsize
        self._file: IO[bytes] | None = None
        self._row = 0

    def read(self, axis: int, rows: slice) -> np.ndarray:
        """The array cut to some rows of an axis.

        Raises:
            TooShortError: when they are not there.
            TooLongError: when something comes after the last row, and that was read.
        """
        if axis != self._axis:
            return self.read(self._axis, slice(None))[(slice(None),) * axis + (rows,)]
        start, stop, _ = rows.indices(self._count)
        values = self._read(start, max(start, stop))
        shape = self._shape[:axis], self._shape[axis + 1 :]
        return np.frombuffer(values, self._dtype).reshape(
            *shape[0], max(0, stop - start), *shape[1]
        )

    def _read(self, start: int, stop: int) -> bytearray:
        if self._file is None or start < self._row:
            self.close()
            self._file, self._row = self._begin(), 0
        file = self._file
        while self._row < start:
            some = max(1, _PIECE // max(1, self._row_bytes))
            self._take(file, min(start - self._row, some))
        values = self._take(file, stop - start)
        if stop == self._count and file.read(1):  # reads, and checks, what ends it, too
            raise TooLongError
        return values

    def _take(self, file: IO[bytes], rows: int) -> bytearray:
        wanted, values = rows * self._row_bytes, bytearray()
        while piece := file.read(min(_PIECE, wanted - len(values))):
            values += piece
        if len(values) < wanted:
            raise TooShortError(self._row * self._row_bytes + len(values))
        self._row += rows
        return values

    def close(self) -> None:
        """Let go of the stream."""
        if self._file is not None:
            self._file.close()
            self._file = None
