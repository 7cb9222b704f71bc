"""Write local files atomically: a file appears complete or not at all.

Kedro's datasets write through fsspec, and fsspec writes in place: a run that is killed while it
saves leaves a truncated file, which is then the latest version. This file system writes to a
temporary file in the same folder, flushes it to the disk, and then renames it, which is atomic on
POSIX. ``settings.py`` registers it for ``file://``, so that every dataset of the catalog uses it.

A killed run may leave a hidden file, ``.<name>.<random>.tmp``, which every dataset ignores.
"""

import errno
import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import fsspec
from fsspec.implementations.local import LocalFileSystem

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT}


class AtomicLocalFileSystem(LocalFileSystem):
    """fsspec's local file system, with writes that are atomic and durable."""

    def _open(
        self, path: str, mode: str = "rb", block_size: int | None = None, **kwargs: Any
    ) -> Any:
        if "w" not in mode and "x" not in mode:
            return super()._open(path, mode, block_size, **kwargs)
        if self.auto_mkdir:
            _make_folder(Path(self._parent(path)))
        return _AtomicFile(Path(path), readable="+" in mode)

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

    def link(self, src: str, dst: str, **kwargs: Any) -> None:
        """Create a hard link to an existing file; create its folder if it is missing."""
        target = Path(self._strip_protocol(dst))
        _make_folder(target.parent)
        super().link(src, dst, **kwargs)
        _sync_folder(target.parent)


class _AtomicFile:
    """A binary file for writing that is renamed to its target when it is closed without an error.

    A text wrapper that closes the file passes no exception on. Therefore the file also detects an
    error by a failed write, or by an exception that was raised since the file was opened.
    """

    def __init__(self, target: Path, *, readable: bool = False) -> None:
        self._target = target
        self._is_new = not target.exists()
        self._exception_before = sys.exc_info()[1]
        self._failed = False
        self._needed_bytes = 0
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
        self._temporary = Path(name)
        # A readable file has no buffer, so that a full disk makes `write` fail, not a later call.
        self._file: Any = (
            os.fdopen(handle, "w+b", buffering=0) if readable else os.fdopen(handle, "wb")
        )
        umask = os.umask(0)
        os.umask(umask)
        self._temporary.chmod(0o666 & ~umask)  # like any new file; mkstemp sets 0600

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, data: Any) -> int:
        """Write bytes; a file that failed to write is discarded when it is closed."""
        view = memoryview(data).cast("B")
        self._needed_bytes = max(self._needed_bytes, self._file.tell() + len(view))
        done = 0
        try:
            while done < len(view):
                done += self._file.write(view[done:])
        except OSError as error:
            self._failed = True
            raise self._describe_error(error) from error
        return done

    def require_space(self, more_bytes: int) -> None:
        """Raise ``OSError`` if the disk has no space for a number of additional bytes."""
        if more_bytes > shutil.disk_usage(self._target.parent).free:
            self._failed = True
            self._needed_bytes += more_bytes
            raise self._describe_error(OSError(errno.ENOSPC, ""))

    def close(self) -> None:
        """Rename the file to its target, or remove it after an error."""
        if self._file.closed:
            return
        if self._failed or sys.exc_info()[1] is not self._exception_before:
            self._discard()
            return
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._rename_to_target()
        except OSError as error:
            described = self._describe_error(error)  # while the temporary file still exists
            self._discard()
            raise described from error
        except BaseException:
            self._discard()
            raise
        _sync_folder(self._target.parent)

    def _rename_to_target(self) -> None:
        if not self._is_new:
            self._temporary.replace(self._target)
            return
        try:
            os.link(self._temporary, self._target)  # unlike a rename, never replaces a file
        except FileExistsError as error:
            reason = "was saved by another run at the same time"
            raise FileExistsError(error.errno, reason, str(self._target)) from error
        except OSError:  # a file system without hard links
            self._temporary.replace(self._target)
        else:
            self._temporary.unlink()

    def _describe_error(self, error: OSError) -> OSError:
        """Return the error with the target's path and, for a full disk, the space that it needs."""
        reason = error.strerror
        if error.errno in _DISK_FULL:
            free = shutil.disk_usage(self._target.parent).free
            if self._temporary.exists():
                free += self._temporary.stat().st_size
            needed = f"at least {self._needed_bytes:,} bytes are needed"
            reason = f"disk full, {needed} and {free:,} are free"
        return type(error)(error.errno, reason, str(self._target))

    def _discard(self) -> None:
        with suppress(OSError):  # closing writes the buffer, for which there may be no space
            self._file.close()
        self._temporary.unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    """Create a folder and its parents, and flush them so that they survive a power failure."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for created in missing:
        _sync_folder(created.parent)


def _sync_folder(folder: Path) -> None:
    """Flush a folder so that its new names survive a power failure; not needed on Windows."""
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
