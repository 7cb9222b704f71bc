"""Point a link to the files of the latest report."""

import os
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_KEPT_SECONDS = 3600  # after a folder is replaced, for programs that are reading its files


def move_latest(link: Path, version: str, files: Iterable[Path]) -> None:
    """Replace a link by one to a new folder, which has a link to each file.

    The link is replaced atomically, so it leads to all files of one run at any time. A program that
    reads several files should resolve the link once. Of two runs, the last to end wins.

    Args:
        link: such as ``data/08_reporting/latest``; the folders are in ``.latest`` beside it.
        version: of the run; the name of the new folder.
        files: of the run.

    Raises:
        OSError: if the link cannot be replaced, for example because it is a folder; it is kept.
    """
    folder = link.parent / f".{link.name}" / version
    folder.mkdir(parents=True)
    for file in files:
        (folder / file.name).symlink_to(os.path.relpath(file, folder))
    new = folder / ".new"
    new.symlink_to(folder.relative_to(link.parent), target_is_directory=True)
    with suppress(OSError):  # there is no link yet, or the folder is another user's
        os.utime(link.resolve())  # when the folder is replaced
    new.replace(link)
    _remove_old(folder.parent, link.resolve())


def _remove_old(folders: Path, current: Path) -> None:
    """Remove folders that were replaced, or left by a killed run, long ago."""
    for folder in folders.resolve().iterdir():
        with suppress(OSError):  # another run removes it, too
            if folder != current and folder.stat().st_mtime < time.time() - _KEPT_SECONDS:
                shutil.rmtree(folder)
