"""Point the symbolic link ``latest`` to a folder with the files of the latest report."""

import os
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_KEPT_SECONDS = 3600  # replaced folders are kept, because programs may be reading their files


def move_latest(link: Path, version: str, files: Iterable[Path]) -> None:
    """Point a link to a new folder of links to ``files``.

    The link is replaced atomically, so it always points to the complete files of one run. A program
    that reads several files should resolve the link once. If two runs end, the link points to the
    files of the last one.

    Args:
        link: the link, such as ``data/08_reporting/latest``; its folders are in ``.latest``.
        version: version of the run, used as the folder's name.
        files: files of the run.

    Raises:
        OSError: if the link cannot be replaced, for example because a folder has its name; that
            folder is kept.
    """
    folder = link.parent / f".{link.name}" / version
    folder.mkdir(parents=True)
    for file in files:
        (folder / file.name).symlink_to(os.path.relpath(file, folder))
    new = folder / ".new"
    new.symlink_to(folder.relative_to(link.parent), target_is_directory=True)
    with suppress(OSError):  # no link exists yet, or another user owns the folder
        os.utime(link.resolve())  # time of the replacement, from which _KEPT_SECONDS count
    new.replace(link)
    _remove_old(folder.parent, link.resolve())


def _remove_old(folders: Path, current: Path) -> None:
    """Remove folders that were replaced, or left by a killed run, over an hour ago."""
    for folder in folders.resolve().iterdir():
        with suppress(OSError):  # another run may remove the same folder
            if folder != current and folder.stat().st_mtime < time.time() - _KEPT_SECONDS:
                shutil.rmtree(folder)
