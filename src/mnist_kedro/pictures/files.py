"""Pictures of a folder, prepared by the batch."""

import logging
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from mnist_kedro.contracts import IMAGE_SIDE, Pixels
from mnist_kedro.errors import InputError
from mnist_kedro.machine import usable_cores
from mnist_kedro.pictures.batches import BATCH, BLANK, READ, Batch, Pictures
from mnist_kedro.pictures.decode import PictureError, decode_picture
from mnist_kedro.pictures.digit import prepare_digit

logger = logging.getLogger(__name__)

_LARGE_BYTES = 10_000
_MAX_BYTES = 100_000_000  # of a file
_IN_FOLDER_OF_ITS_DIGIT = re.compile(r"(?:^|/)([0-9])/[^/]*$")


def open_folder(path: Path) -> Pictures:
    """Find the pictures of a folder, or one by itself.

    Raises:
        InputError: when there are none.
    """
    files = _files(path)
    if not files:
        raise InputError(f"{path}: no pictures; expected PNG, JPEG, BMP, TIFF or WebP files in it.")
    root = path if path.is_dir() else path.parent
    names = [_printable(file.relative_to(root).as_posix()) for file in files]
    labelled = any(_label(name) is not None for name in names)
    return Pictures(len(files), labelled, partial(_take, files, names))


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; expected pictures of digits.")
    if not path.is_dir():
        return [path]
    files = []
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        files += [Path(folder, name) for name in sorted(names) if not name.startswith(".")]
    return files


def _printable(name: str) -> str:
    """Escape the bytes of a name that are not UTF-8, so that it can be saved in a table."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _label(name: str) -> int | None:
    """Of a picture in a folder that is named by its digit."""
    found = _IN_FOLDER_OF_ITS_DIGIT.search(name)
    return int(found[1]) if found else None


def _take(files: Sequence[Path], names: Sequence[str], rows: Sequence[int]) -> Iterator[Batch]:
    parts = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
    with ThreadPoolExecutor(usable_cores()) as pool:
        waiting = [_start(pool, files[row]) for row in parts[0]] if parts else []
        for part, following in zip(parts, [*parts[1:], []], strict=True):
            prepared = [result() for result in waiting]
            waiting = [_start(pool, files[row]) for row in following]
            pixels, status = zip(*prepared, strict=True)
            named = [names[row] for row in part]
            yield Batch(named, np.stack(pixels)[..., None], status, [*map(_label, named)])


def _start(pool: ThreadPoolExecutor, file: Path) -> Callable[[], tuple[Pixels, str]]:
    """Large pictures by the pool, small ones when they are asked for.

    Threads that take turns in Python every few microseconds took 2.3 times as long for these.
    """
    try:
        large = file.stat().st_size > _LARGE_BYTES
    except OSError:  # which is told when it is read
        large = False
    return pool.submit(_prepare, file).result if large else partial(_prepare, file)


def _prepare(file: Path) -> tuple[Pixels, str]:
    nothing = np.zeros((IMAGE_SIDE, IMAGE_SIDE), np.uint8)
    try:
        described = file.stat()
        if not stat.S_ISREG(described.st_mode):  # reading a named pipe never ends
            return nothing, "not a regular file"
        if described.st_size > _MAX_BYTES:
            return nothing, f"too large: expected at most {_MAX_BYTES:,} bytes"
        pixels = prepare_digit(decode_picture(file.read_bytes()))
    except OSError as error:
        return nothing, f"cannot be read: {error.strerror}"
    except PictureError as error:
        return nothing, str(error)
    except Exception as error:  # whatever it is, the other pictures are classified
        logger.warning("%s: cannot be prepared", file, exc_info=error)
        reason = " ".join(str(error).split())  # the status is one line
        return nothing, f"cannot be prepared: {type(error).__name__}: {reason}"
    return (nothing, BLANK) if pixels is None else (pixels, READ)
