"""Local files that appear whole or not at all.

Kedro's datasets write through fsspec, and fsspec writes in place: a run that is killed while it
saves leaves half a file, which is then the latest version. Here a file is written beside its place
under another name, flushed to the disk and only then given its name, which a POSIX file system does
at once. Registered for ``file://`` in ``settings.py``, this reaches every dataset of the catalog.

A killed run may leave a hidden file, ``.<name>.<random>.tmp``. No dataset looks at it.
"""

import errno
import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
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
        """Copy a file or make a folder; ``put`` and ``get`` end here as well."""
        source, target = self._strip_protocol(path1), self._strip_protocol(path2)
        if not self.isfile(source):
            super().cp_file(path1, path2, **kwargs)
            return
        if self.auto_mkdir:
            _make_folder(Path(self._parent(target)))
        with Path(source).open("rb") as original, _AtomicFile(Path(target)) as copy:
            shutil.copyfileobj(original, copy)

    def link(self, src: str, dst: str, **kwargs: Any) -> None:
        """Give an existing file a second name, in a folder that is made if it is missing."""
        target = Path(self._strip_protocol(dst))
        _make_folder(target.parent)
        super().link(src, dst, **kwargs)
        _sync_folder(target.parent)


class _AtomicFile:
    """A binary file for writing that takes its name when it is closed without an error.

    A failure is noticed also when a text wrapper closes the file on its behalf and passes no
    exception on: by a write that failed, or by another exception being handled than when the file
    was opened.
    """

    def __init__(self, target: Path, *, readable: bool = False) -> None:
        self._target = target
        self._is_new = not target.exists()
        self._exception_before = sys.exc_info()[1]
        self._failed = False
        self._needed = 0  # bytes
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
        self._temporary = Path(name)
        # One that is also read is written without a buffer, so that `write` is what fails.
        self._file: Any = (
            os.fdopen(handle, "w+b", buffering=0) if readable else os.fdopen(handle, "wb")
        )
        umask = os.umask(0)
        os.umask(umask)
        self._temporary.chmod(0o666 & ~umask)  # as of any new file; mkstemp gives 0600

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, data: Any) -> int:
        """Write bytes; after a failure the file never takes its name."""
        view = memoryview(data).cast("B")
        self._needed = max(self._needed, self._file.tell() + len(view))
        done = 0
        try:
            while done < len(view):
                done += self._file.write(view[done:])
        except OSError as error:
            self._failed = True
            raise self._explained(error) from error
        return done

    def require(self, more: int) -> None:
        """Raise ``OSError`` when the disk has no space for so many more bytes."""
        if more > shutil.disk_usage(self._target.parent).free:
            self._failed = True
            self._needed += more
            raise self._explained(OSError(errno.ENOSPC, ""))

    def close(self) -> None:
        """Give the file its name, or remove it if something went wrong."""
        if self._file.closed:
            return
        if self._failed or sys.exc_info()[1] is not self._exception_before:
            self._discard()
            return
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._take_name()
        except OSError as error:
            explained = self._explained(error)
            self._discard()
            raise explained from error
        except BaseException:
            self._discard()
            raise
        _sync_folder(self._target.parent)

    def _take_name(self) -> None:
        if not self._is_new:
            self._temporary.replace(self._target)
            return
        try:
            os.link(self._temporary, self._target)  # unlike a renaming, never onto another file
        except FileExistsError as error:
            why = "was saved by another run at the same time"
            raise FileExistsError(error.errno, why, str(self._target)) from error
        except OSError:  # a file system without hard links
            self._temporary.replace(self._target)
        else:
            self._temporary.unlink()

    def _explained(self, error: OSError) -> OSError:
        """The same error, with the file's name and, of a full disk, how much is missing."""
        why = error.strerror
        if error.errno in _DISK_FULL:
            free = shutil.disk_usage(self._target.parent).free
            if self._temporary.exists():
                free += self._temporary.stat().st_size
            why = f"disk full, at least {self._needed:,} bytes are needed and {free:,} are free"
        return type(error)(error.errno, why, str(self._target))

    def _discard(self) -> None:
        with suppress(OSError):  # the buffer may still hold what there is no space for
            self._file.close()
        self._temporary.unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    """Make a folder that survives a power cut, with those that it lies in."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for made in missing:
        _sync_folder(made.parent)


def _sync_folder(folder: Path) -> None:
    """Make a new name survive a power cut; Windows can neither do it nor needs it."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def register() -> None:
    """Let fsspec, and with it every Kedro dataset, use this file system for local paths."""
    for protocol in ("file", "local"):
        fsspec.register_implementation(protocol, AtomicLocalFileSystem, clobber=True)
