"""Hide a full disk from the HDF5 library, which would crash."""

from io import RawIOBase
from typing import Any


class DeferredErrorFile(RawIOBase):
    """A binary file for the HDF5 library that defers write errors to :meth:`check`.

    h5py 3.14 crashes its process when it closes a file for which the disk had no space. Therefore
    data that cannot be written stays in memory. Callers call :meth:`check` often enough to keep
    this data small.
    """

    def __init__(self, target: Any) -> None:
        """Wrap ``target``, a file that is open for writing and reading."""
        super().__init__()
        self._target = target
        self._position = 0
        self._error: OSError | None = None
        self._unwritten: list[tuple[int, bytes]] = []  # positions and data
        self.size = 0  # bytes

    def check(self, expected_bytes: int = 0) -> None:
        """Raise the first write error, or OSError if ``expected_bytes`` do not fit on the disk."""
        if self._error is not None:
            raise self._error
        if hasattr(self._target, "require_space"):
            self._target.require_space(expected_bytes)

    def write(self, data: Any) -> int:
        """Write at the current position; to memory after the first write error."""
        view = memoryview(data).cast("B")
        if self._error is None:
            try:
                self._target.seek(self._position)
                self._target.write(view)
            except OSError as error:
                self._error = error
        if self._error is not None:
            self._unwritten.append((self._position, bytes(view)))
        self._position += len(view)
        self.size = max(self.size, self._position)
        return len(view)

    def readinto(self, buffer: Any) -> int:
        """Read at the current position, including data that is only in memory."""
        view = memoryview(buffer).cast("B")
        self._target.seek(self._position)
        self._target.readinto(view)
        for begin, data in self._unwritten:
            start = max(begin, self._position)
            stop = min(begin + len(data), self._position + len(view))
            if start < stop:
                to = start - self._position
                view[to : to + stop - start] = data[start - begin : stop - begin]
        self._position += len(view)
        return len(view)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move relative to the beginning (0), the current position (1) or the end (2)."""
        self._position = (0, self._position, self.size)[whence] + offset
        return self._position

    def tell(self) -> int:
        """Return the current position."""
        return self._position

    def truncate(self, size: int | None = None) -> int:
        """Resize the file, by default to the current position."""
        size = self._position if size is None else size
        if self._error is None:
            try:
                self._target.truncate(size)
            except OSError as error:
                self._error = error
        self.size = size
        return size

    def flush(self) -> None:
        """Do nothing, because writes are not buffered."""
