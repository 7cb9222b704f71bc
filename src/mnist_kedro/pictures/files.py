"""Read the pictures of a folder in batches."""

import logging
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mnist_kedro.contracts import IMAGE_SIDE, Pixels
from mnist_kedro.errors import InputError
from mnist_kedro.machine import usable_cores
from mnist_kedro.pictures.batches import BATCH, BLANK, READ, Batch, Pictures
from mnist_kedro.pictures.decode import GrayPicture, PictureError, decode_picture
from mnist_kedro.pictures.digit import match_size, prepare
from mnist_kedro.pictures.groups import Box
from mnist_kedro.pictures.split import find_digits
from mnist_kedro.pictures.thumbnail import Thumbnail, make_thumbnail, no_thumbnail

logger = logging.getLogger(__name__)

_POOL_BYTES = 10_000  # Larger files are prepared by the thread pool.
_MAX_BYTES = 100_000_000
_EMPTY = np.zeros((IMAGE_SIDE, IMAGE_SIDE), np.uint8)
_FOLDER_OF_DIGIT = re.compile(r"(?:^|/)([0-9])/[^/]*$")


def open_folder(path: Path, *, all_digits: bool = False, keep_small: bool = False) -> Pictures:
    """Find the pictures of a folder, or open a single picture.

    Args:
        path: of the folder or the picture.
        all_digits: find all digits of each picture, instead of the main one.
        keep_small: keep the pixels of pictures of 28 × 28 with plain borders.

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
    prepare: _Prepare = _prepare_all_digits if all_digits else _prepare_main_digit
    if keep_small:
        prepare = partial(_keep_small, otherwise=prepare)
    show = partial(_show, files)
    return Pictures(len(files), labeled, partial(_take, files, names, prepare), show)


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


def _show(files: Sequence[Path], row: int) -> Thumbnail:
    try:
        return make_thumbnail(decode_picture(files[row].read_bytes()))
    except (OSError, PictureError):
        return no_thumbnail()


class _Digit(NamedTuple):
    pixels: Pixels
    status: str
    several: bool = False
    in_mnist_form: bool = False
    box: Box | None = None


_Prepare = Callable[[GrayPicture], Sequence[_Digit]]


def _take(
    files: Sequence[Path], names: Sequence[str], prepare: _Prepare, rows: Sequence[int]
) -> Iterator[Batch]:
    parts = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
    with ThreadPoolExecutor(usable_cores()) as pool:
        started = [_start(pool, files[row], prepare) for row in parts[0]] if parts else []
        for part, following in zip(parts, [*parts[1:], []], strict=True):
            prepared = [get_digits() for get_digits in started]
            started = [_start(pool, files[row], prepare) for row in following]
            batch_names = [
                names[row] for row, digits in zip(part, prepared, strict=True) for _ in digits
            ]
            pixels, status, several, in_mnist_form, boxes = zip(
                *chain.from_iterable(prepared), strict=True
            )
            labels = [*map(_label_of, batch_names)]
            images = np.stack(pixels)[..., None]
            yield Batch(batch_names, images, status, labels, several, in_mnist_form, boxes)


def _start(
    pool: ThreadPoolExecutor, file: Path, prepare: _Prepare
) -> Callable[[], Sequence[_Digit]]:
    """Submit a large picture to the pool; defer a small one until its result is needed.

    Threads took 2.3 times as long for small pictures: they alternate every few microseconds.
    """
    try:
        large = file.stat().st_size > _POOL_BYTES
    except OSError:  # _prepare_file reports this error.
        large = False
    result = partial(_prepare_file, file, prepare)
    return pool.submit(result).result if large else result


def _prepare_file(file: Path, prepare: _Prepare) -> Sequence[_Digit]:
    try:
        file_status = file.stat()
        if not stat.S_ISREG(file_status.st_mode):  # Reading a named pipe might never end.
            return [_Digit(_EMPTY, "not a regular file")]
        if file_status.st_size > _MAX_BYTES:
            return [_Digit(_EMPTY, f"too large: expected at most {_MAX_BYTES:,} bytes")]
        return prepare(decode_picture(file.read_bytes())) or [_Digit(_EMPTY, BLANK)]
    except OSError as error:
        return [_Digit(_EMPTY, f"cannot be read: {error.strerror}")]
    except PictureError as error:
        return [_Digit(_EMPTY, str(error))]
    except Exception as error:  # One picture must not prevent the others from being classified.
        logger.warning("%s: cannot be prepared", file, exc_info=error)
        reason = " ".join(str(error).split())  # A status is one line.
        return [_Digit(_EMPTY, f"cannot be prepared: {type(error).__name__}: {reason}")]


def _keep_small(picture: GrayPicture, otherwise: _Prepare) -> Sequence[_Digit]:
    pixels = match_size(picture)
    if pixels is None:
        return otherwise(picture)
    return [_Digit(pixels, READ, in_mnist_form=True)]


def _prepare_main_digit(picture: GrayPicture) -> Sequence[_Digit]:
    prepared = prepare(picture)
    if prepared is None:
        return []
    return [_Digit(prepared.pixels, READ, prepared.several, prepared.in_mnist_form)]


def _prepare_all_digits(picture: GrayPicture) -> Sequence[_Digit]:
    found = find_digits(picture)
    several = len(found) > 1
    return [_Digit(digit.pixels, READ, several, digit.in_mnist_form, digit.box) for digit in found]
