"""Write local files atomically: a file appears complete or not at all.

Kedro's datasets write through fsspec, and fsspec writes in place: a run that is killed while it
saves leaves a truncated file, which is then the latest version. This file system writes to a
temporary file in the same folder, flushes it to the disk, and then renames it, which is atomic on
POSIX. ``settings.py`` registers it for ``file://``, so that every dataset of the catalog uses it.

A killed run may leave a hidden file, ``.<name>.<random>.tmp``, which every dataset ignores.
"""

import errno
import glob
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import fsspec
from fsspec.implementations.local import LocalFileSystem

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class AtomicLocalFileSystem(LocalFileSystem):
    """fsspec's local file system, with atomic, durable writes and fast lookups of versions.

    Kedro lists all versions of a dataset to find the latest one. fsspec reads the metadata of each
    file and folder, which takes eight times as long as listing the names.
    """

    def _open(
        self, path: str, mode: str = "rb", block_size: int | None = None, **kwargs: Any
    ) -> Any:
        if "w" not in mode and "x" not in mode:
            return super()._open(path, mode, block_size, **kwargs)
        if self.auto_mkdir:
            _make_folder(Path(self._parent(path)))
        return _AtomicFile(Path(path))

    def glob(self, path: str, maxdepth: int | None = None, **kwargs: Any) -> Any:
        """Find the files and folders that match a pattern, including those in linked folders.

        Returns:
            Sorted paths. For patterns with ``**`` or a final ``/``, for calls with options, and on
            Windows: the result of fsspec.
        """
        if os.name == "nt" or "**" in path or path.endswith("/") or maxdepth or kwargs:
            return super().glob(path, maxdepth, **kwargs)
        return sorted(glob.glob(self._strip_protocol(path), include_hidden=True))  # noqa: PTH207

    def exists(self, path: str, **_: Any) -> bool:
        """Return whether a file or folder exists."""
        return os.path.exists(self._strip_protocol(path))  # noqa: PTH110  (faster than Path)

    def cp_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        """Copy a file or create a folder; ``put`` and ``get`` call this method."""
        source, target = self._strip_protocol(path1), self._strip_protocol(path2)
        if not self.isfile(source):
            super().cp_file(path1, path2, **kwargs)
            return
        if self.auto_mkdir:
            _make_folder(Path(self._parent(target)))
        with Path(source).open("rb") as original, _AtomicFile(Path(target)) as copy:
            shutil.copyfileobj(original, copy)


class NewFile:
    """A temporary file beside its target, renamed to the target when it is complete."""

    def __init__(self, target: Path) -> None:
        """Create an empty file, which :meth:`commit` renames to ``target``."""
        self._target = target
        self._is_new = not target.exists()
        self._needed_bytes = 0
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
        os.close(handle)
        self.path = Path(name)
        umask = os.umask(0)
        os.umask(umask)
        self.path.chmod(0o666 & ~umask)  # like any new file; mkstemp sets 0600

    def expect_size(self, size: int) -> None:
        """Record that the file needs at least ``size`` bytes, for the error about a full disk."""
        self._needed_bytes = max(self._needed_bytes, size)

    def reserve(self, size: int, more_bytes: int) -> None:
        """Reserve disk space for the next ``more_bytes`` of the file.

        Args:
            size: current size of the file in bytes.
            more_bytes: number of bytes that may be written next.

        Raises:
            OSError: if the disk has too little space.
        """
        self.expect_size(size + more_bytes)
        if not hasattr(os, "posix_fallocate"):
            return
        try:
            with self.path.open("r+b") as file:
                os.posix_fallocate(file.fileno(), size, more_bytes)
        except OSError as error:
            if error.errno in _DISK_FULL:  # otherwise the file system cannot reserve space
                raise self.describe_error(error) from error

    def commit(self) -> None:
        """Flush the file to the disk, and rename it to its target."""
        try:
            with self.path.open("r+b") as file:
                os.fsync(file.fileno())
            self._rename()
        except OSError as error:
            raise self.describe_error(error) from error
        _sync_folder(self._target.parent)

    def _rename(self) -> None:
        if not self._is_new:
            self.path.replace(self._target)
            return
        try:
            os.link(self.path, self._target)  # a link, unlike a rename, never replaces a file
        except FileExistsError as error:
            reason = "was saved by another run at the same time"
            raise FileExistsError(error.errno, reason, str(self._target)) from error
        except OSError:  # a file system without hard links
            self.path.replace(self._target)

    def describe_error(self, error: OSError) -> OSError:
        """Add the target's path to an error and, if the disk is full, the needed and free space."""
        reason = error.strerror
        if error.errno in _DISK_FULL:
            free = shutil.disk_usage(self._target.parent).free
            if self.path.exists():
                free += self.path.stat().st_size
            needed = f"at least {self._needed_bytes:,} bytes are needed"
            reason = f"disk full, {needed} and {free:,} are free"
        return type(error)(error.errno, reason, str(self._target))

    def discard(self) -> None:
        """Remove the temporary file, if it still exists."""
        self.path.unlink(missing_ok=True)


@contextmanager
def new_file(target: Path) -> Iterator[NewFile]:
    """Create a file for a library that writes to a path; after an error, keep the old target.

    Yields:
        The new file, in a folder that is created if it is missing.
    """
    _make_folder(target.parent)
    file = NewFile(target)
    try:
        yield file
        file.commit()
    finally:
        file.discard()


class _AtomicFile:
    """A binary file for writing that is renamed to its target when it is closed without an error.

    When a text wrapper closes the file, ``__exit__`` receives no exception. Therefore ``close``
    checks whether a write has failed, or an exception has been raised since the file was opened.
    """

    def __init__(self, target: Path) -> None:
        self._exception_before = sys.exc_info()[1]
        self._failed = False
        self._new = NewFile(target)
        self._file: Any = self._new.path.open("wb")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, data: Any) -> int:
        """Write bytes; if this fails, ``close`` discards the file."""
        try:
            self._new.expect_size(self._file.tell() + memoryview(data).nbytes)
            return self._file.write(data)
        except OSError as error:
            self._failed = True
            raise self._new.describe_error(error) from error

    def close(self) -> None:
        """Rename the file to its target, or remove it after an error."""
        if self._file.closed:
            return
        try:
            if self._failed or sys.exc_info()[1] is not self._exception_before:
                with suppress(OSError):  # closing flushes the buffer, and the disk may be full
                    self._file.close()
                return
            try:
                self._file.close()
            except OSError as error:
                raise self._new.describe_error(error) from error
            self._new.commit()
        finally:
            self._new.discard()


def _make_folder(folder: Path) -> None:
    """Create a folder and its parents; flush them, so that they survive a power failure."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for created in missing:
        _sync_folder(created.parent)


def _sync_folder(folder: Path) -> None:
    """Flush a folder, so that new files survive a power failure; Windows cannot flush folders."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def register() -> None:
    """Make fsspec, and therefore every Kedro dataset, use this file system for local paths."""
    for protocol in ("file", "local"):
        fsspec.register_implementation(protocol, AtomicLocalFileSystem, clobber=True)
