"""Files of a store, fetched to this machine to be read in pieces."""

import shutil
import tempfile
import threading
import weakref
from pathlib import Path
from typing import Any

import fsspec
from kedro.io.core import DatasetError


class LocalCopies:
    """Fetches a file whole when it is asked for first, and keeps it until this object goes.

    A store takes some tens of milliseconds for each request, and HDF5 makes several for each piece
    of an array; a file system that reads ahead makes them few, but of megabytes each.

    The copies lie in the machine's temporary folder, which the variable ``TMPDIR`` names.
    """

    def __init__(self, fs: fsspec.AbstractFileSystem) -> None:
        """``fs`` is the store's file system."""
        self._fs = fs
        self._lock = threading.Lock()  # another thread may read ahead
        self._copies: dict[str, Path] = {}
        self._folder: Path | None = None

    def get(self, path: str) -> Path:
        """The copy of a file.

        Raises:
            FileNotFoundError: when there is no such file.
            DatasetError: when this machine has no space for it.
        """
        with self._lock:
            if path not in self._copies:
                self._copies[path] = self._fetch(path)
            return self._copies[path]

    def forget(self) -> None:
        """Remove all copies; what is asked for again is fetched anew."""
        with self._lock:
            for copy in self._copies.values():
                copy.unlink(missing_ok=True)
            self._copies.clear()

    def _fetch(self, path: str) -> Path:
        size = self._fs.size(path) or 0  # bytes; some stores do not say
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="mnist_kedro_"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        free = shutil.disk_usage(self._folder).free
        if size > free:
            raise DatasetError(
                f"{path}: a copy in {self._folder.parent} needs {size:,} bytes, of which {free:,} "
                "are free; name a folder with more space in the variable TMPDIR."
            )
        copy = self._folder / str(len(self._copies))
        self._fs.get_file(path, str(copy))
        return copy

    def __reduce__(self) -> tuple[Any, ...]:
        return LocalCopies, (self._fs,)  # another process fetches its own
