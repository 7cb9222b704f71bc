"""Copy remote files to this machine, because HDF5 reads files in many small pieces."""

import shutil
import tempfile
import threading
import weakref
from pathlib import Path
from typing import Any

import fsspec
from kedro.io.core import DatasetError


class LocalCopies:
    """Local copies of remote files.

    A file is fetched on first use; all copies are removed when this object is garbage-collected. A
    store takes tens of milliseconds per request, and HDF5 makes several requests for each piece of
    an array. With fsspec's read-ahead cache there are fewer requests, but each transfers megabytes.

    The copies are saved in the temporary folder, which the environment variable ``TMPDIR`` sets.
    """

    def __init__(self, fs: fsspec.AbstractFileSystem) -> None:
        """Create an empty cache for files of the file system ``fs``."""
        self._fs = fs
        self._lock = threading.Lock()  # because another thread may prefetch
        self._copies: dict[str, Path] = {}
        self._folder: Path | None = None

    def get(self, path: str) -> Path:
        """Return the path of the local copy of a file.

        Raises:
            FileNotFoundError: if the file does not exist.
            DatasetError: if this machine has too little space for the copy.
        """
        with self._lock:
            if path not in self._copies:
                self._copies[path] = self._fetch(path)
            return self._copies[path]

    def clear(self) -> None:
        """Remove all copies, so that files are fetched again when they are needed."""
        with self._lock:
            for copy in self._copies.values():
                copy.unlink(missing_ok=True)
            self._copies.clear()

    def _fetch(self, path: str) -> Path:
        size = self._fs.size(path) or 0  # bytes; 0 if the store does not report it
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="mnist_kedro_"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        free = shutil.disk_usage(self._folder).free
        if size > free:
            raise DatasetError(
                f"{path}: a copy in {self._folder.parent} needs {size:,} bytes, but only {free:,} "
                "are free; set the environment variable TMPDIR to a folder with more space."
            )
        copy = self._folder / str(len(self._copies))
        self._fs.get_file(path, str(copy))
        return copy

    def __reduce__(self) -> tuple[Any, ...]:
        return LocalCopies, (self._fs,)  # another process fetches its own copies
