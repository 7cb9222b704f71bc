"""Keeps the HDF5 library from meeting a full disk."""

from io import RawIOBase
from typing import Any


class Shield(RawIOBase):
    """A binary file for the HDF5 library that never fails to write.

    h5py crashes its process when it closes a file for which the disk had no space (h5py 3.14). So
    what the disk does not take stays in memory until :meth:`check`, which is asked often enough
    that this is little, tells the caller.
    """

    def __init__(self, target: Any) -> None:
        """``target`` is open for writing and reading."""
        super().__init__()
        self._target = target
        self._position = 0
        self._error: OSError | None = None
        self._kept: list[tuple[int, bytes]] = []  # what the disk did not take, and where it belongs
        self.size = 0  # bytes

    def check(self, expected: int = 0) -> None:
        """Raise what went wrong; or that there is no space for so many more bytes, if known."""
        if self._error is not None:
            raise self._error
        if hasattr(self._target, "require"):
            self._target.require(expected)

    def write(self, data: Any) -> int:
        """Write at the current position, to memory once the disk has refused."""
        view = memoryview(data).cast("B")
        if self._error is None:
            try:
                self._target.seek(self._position)
                self._target.write(view)
            except OSError as error:
                self._error = error
        if self._error is not None:
            self._kept.append((self._position, bytes(view)))
        self._position += len(view)
        self.size = max(self.size, self._position)
        return len(view)

    def readinto(self, buffer: Any) -> int:
        """Read what was written, also what is in memory alone."""
        view = memoryview(buffer).cast("B")
        self._target.seek(self._position)
        self._target.readinto(view)
        for begin, data in self._kept:
            first, last = max(begin, self._position), begin + len(data)
            last = min(last, self._position + len(view))
            if first < last:
                to = first - self._position
                view[to : to + last - first] = data[first - begin : last - begin]
        self._position += len(view)
        return len(view)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move, from the beginning (0), from here (1) or from the end (2)."""
        self._position = (0, self._position, self.size)[whence] + offset
        return self._position

    def tell(self) -> int:
        """Where the next byte is written or read."""
        return self._position

    def truncate(self, size: int | None = None) -> int:
        """Make it this long, or end here."""
        size = self._position if size is None else size
        if self._error is None:
            try:
                self._target.truncate(size)
            except OSError as error:
                self._error = error
        self.size = size
        return size

    def flush(self) -> None:
        """Nothing waits here."""
