"""Read the pictures of a folder in batches."""

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

_POOL_BYTES = 10_000  # Larger files are prepared by the thread pool.
_MAX_BYTES = 100_000_000
_FOLDER_OF_DIGIT = re.compile(r"(?:^|/)([0-9])/[^/]*$")


def open_folder(path: Path) -> Pictures:
    """Find the pictures of a folder, or open a single picture.

    Raises:
        InputError: if the path does not exist, or the folder has no files.
    """
    files = _list_files(path)
    if not files:
        raise InputError(
            f"{path}: no pictures; expected PNG, JPEG, BMP, TIFF, WebP or GIF files in it."
        )
    root = path if path.is_dir() else path.parent
    names = [_printable(file.relative_to(root).as_posix()) for file in files]
    labeled = any(_label_of(name) is not None for name in names)
    return Pictures(len(files), labeled, partial(_take, files, names))


def _list_files(path: Path) -> list[Path]:
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


def _label_of(name: str) -> int | None:
    """Return the digit after which the picture's folder is named, if any."""
    found = _FOLDER_OF_DIGIT.search(name)
    return int(found[1]) if found else None


def _take(files: Sequence[Path], names: Sequence[str], rows: Sequence[int]) -> Iterator[Batch]:
    parts = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
    with ThreadPoolExecutor(usable_cores()) as pool:
        started = [_start(pool, files[row]) for row in parts[0]] if parts else []
        for part, following in zip(parts, [*parts[1:], []], strict=True):
            prepared = [get_result() for get_result in started]
            started = [_start(pool, files[row]) for row in following]
            pixels, status = zip(*prepared, strict=True)
            batch_names = [names[row] for row in part]
            labels = [*map(_label_of, batch_names)]
            yield Batch(batch_names, np.stack(pixels)[..., None], status, labels)


def _start(pool: ThreadPoolExecutor, file: Path) -> Callable[[], tuple[Pixels, str]]:
    """Submit a large picture to the pool; defer a small one until its result is needed.

    Threads took 2.3 times as long for small pictures: they alternate every few microseconds.
    """
    try:
        large = file.stat().st_size > _POOL_BYTES
    except OSError:  # _prepare_file reports this error.
        large = False
    return pool.submit(_prepare_file, file).result if large else partial(_prepare_file, file)


def _prepare_file(file: Path) -> tuple[Pixels, str]:
    empty = np.zeros((IMAGE_SIDE, IMAGE_SIDE), np.uint8)
    try:
        file_status = file.stat()
        if not stat.S_ISREG(file_status.st_mode):  # Reading a named pipe might never end.
            return empty, "not a regular file"
        if file_status.st_size > _MAX_BYTES:
            return empty, f"too large: expected at most {_MAX_BYTES:,} bytes"
        pixels = prepare_digit(decode_picture(file.read_bytes()))
    except OSError as error:
        return empty, f"cannot be read: {error.strerror}"
    except PictureError as error:
        return empty, str(error)
    except Exception as error:  # One picture must not prevent the others from being classified.
        logger.warning("%s: cannot be prepared", file, exc_info=error)
        reason = " ".join(str(error).split())  # A status is one line.
        return empty, f"cannot be prepared: {type(error).__name__}: {reason}"
    return (empty, BLANK) if pixels is None else (pixels, READ)
