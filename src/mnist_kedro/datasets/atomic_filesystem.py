"""Local files that appear whole or not at all.

Kedro's datasets write through fsspec, and fsspec writes in place: a run that is killed while it
saves leaves half a file, which is then the latest version. Here a file is written beside its place
under another name, flushed to the disk and only then renamed, which a POSIX file system does at
once. Registered for ``file://`` in ``settings.py``, this reaches every dataset of the catalog.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import fsspec
from fsspec.implementations.local import LocalFileSystem


class AtomicLocalFileSystem(LocalFileSystem):
    """fsspec's local file system, with writes that are atomic and durable."""

    def _open(
        self, path: str, mode: str = "rb", block_size: int | None = None, **kwargs: Any
    ) -> Any:
        if "w" not in mode and "x" not in mode:
            return super()._open(path, mode, block_size, **kwargs)
        if self.auto_mkdir:
            self.makedirs(self._parent(path), exist_ok=True)
        return _AtomicFile(Path(path))

    def cp_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        """Copy a file or make a folder; ``put`` and ``get`` end here as well."""
        source, target = self._strip_protocol(path1), self._strip_protocol(path2)
        if not self.isfile(source):
            super().cp_file(path1, path2, **kwargs)
            return
        if self.auto_mkdir:
            self.makedirs(self._parent(target), exist_ok=True)
        with Path(source).open("rb") as original, _AtomicFile(Path(target)) as copy:
            shutil.copyfileobj(original, copy)


class _AtomicFile:
    """A binary file for writing that takes its name when it is closed without an error.

    A failure is noticed also when a text wrapper closes the file on its behalf and passes no
    exception on: then another exception is being handled than when the file was opened.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._exception_before = sys.exc_info()[1]
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
        self._temporary = Path(name)
        self._file = os.fdopen(handle, "wb")
        umask = os.umask(0)
        os.umask(umask)
        self._temporary.chmod(
            0o666 & ~umask
        )  # mkstemp gives 0600; a new file gets what the umask leaves

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

    def close(self) -> None:
        """Give the file its name, or remove it if an exception is on its way."""
        if self._file.closed:
            return
        if sys.exc_info()[1] is not self._exception_before:
            self._discard()
            return
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._temporary.replace(self._target)
        except BaseException:
            self._discard()
            raise
        _sync_folder(self._target.parent)

    def _discard(self) -> None:
        try:
            self._file.close()
        finally:
            self._temporary.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut; Windows can neither do it nor needs it."""
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
