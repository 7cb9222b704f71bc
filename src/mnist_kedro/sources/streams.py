"""Read arrays whose rows are stored in a stream, such as a compressed file."""

import math
from collections.abc import Callable
from typing import IO

import numpy as np

from mnist_kedro.sources.contents import select_rows

_PIECE_BYTES = 2**20  # read at once, so that memory is allocated only for bytes that exist


class TooShortError(Exception):
    """The stream ends before its last row, after ``held`` bytes of values."""

    def __init__(self, held: int) -> None:
        super().__init__(held)
        self.held = held


class TooLongError(Exception):
    """The stream continues after its last row."""


class RowStream:
    """An array in C order, read from a stream; going back to earlier rows reopens the stream.

    The rows are those of the first axis whose length is not 1.
    """

    def __init__(
        self, open_values: Callable[[], IO[bytes]], shape: tuple[int, ...], dtype: np.dtype
    ) -> None:
        """Read from ``open_values()``, which returns the stream positioned at the first value."""
        self._open_values, self._shape, self._dtype = open_values, shape, dtype
        self._axis = next((axis for axis, length in enumerate(shape) if length != 1), 0)
        self._count, *rest = shape[self._axis :] or (1,)
        self._row_bytes = math.prod(rest) * dtype.itemsize
        self._file: IO[bytes] | None = None
        self._row = 0

    def read(self, axis: int, rows: slice) -> np.ndarray:
        """Return the array restricted to some rows of an axis.

        Raises:
            TooShortError: if the stream ends before those rows.
            TooLongError: if the last row is read, and more bytes follow it.
        """
        if axis != self._axis:
            return select_rows(self.read(self._axis, slice(None)), axis, rows)
        start, stop, _ = rows.indices(self._count)
        values = self._read_bytes(start, max(start, stop))
        shape = *self._shape[:axis], max(0, stop - start), *self._shape[axis + 1 :]
        return np.frombuffer(values, self._dtype).reshape(shape)

    def _read_bytes(self, start: int, stop: int) -> bytearray:
        if self._file is None or start < self._row:
            self.close()
            self._file, self._row = self._open_values(), 0
        file = self._file
        while self._row < start:
            piece_rows = max(1, _PIECE_BYTES // max(1, self._row_bytes))
            self._read_next(file, min(start - self._row, piece_rows))
        values = self._read_next(file, stop - start)
        if stop == self._count and file.read(1):  # also verifies the checksum at the stream's end
            raise TooLongError
        return values

    def _read_next(self, file: IO[bytes], rows: int) -> bytearray:
        wanted, values = rows * self._row_bytes, bytearray()
        while piece := file.read(min(_PIECE_BYTES, wanted - len(values))):
            values += piece
        if len(values) < wanted:
            raise TooShortError(self._row * self._row_bytes + len(values))
        self._row += rows
        return values

    def close(self) -> None:
        """Close the stream."""
        if self._file is not None:
            self._file.close()
            self._file = None
