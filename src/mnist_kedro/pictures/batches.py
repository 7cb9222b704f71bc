"""Pictures by the batch, prepared: of a folder, one file, or an HDF5 or npz file of images."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mnist_kedro.contracts import IMAGE_SIDE, Pixels
from mnist_kedro.errors import InputError
from mnist_kedro.pictures.decode import PictureError, decode_picture
from mnist_kedro.pictures.digit import prepare_digit
from mnist_kedro.sources.pixels import Images, recognise
from mnist_kedro.sources.read import READERS
from mnist_kedro.sources.shapes import EXPECTED, count_images

READ, BLANK = "ok", "blank: nothing is written"
_BATCH = 1000  # pictures in memory at once, twice: one batch is classified, one prepared
_LARGE_BYTES = 10_000
_MAX_BYTES = 100_000_000  # of a file


class Batch(NamedTuple):
    """Some pictures in their order."""

    files: Sequence[str]
    pixels: Pixels  # (n, 28, 28, 1); 0 where there is no digit
    status: Sequence[str]  # READ, BLANK, or what is wrong with the file


class Pictures(NamedTuple):
    """How many pictures there are, and all of them."""

    total: int
    batches: Iterator[Batch]


def open_pictures(path: Path) -> Pictures:
    """Find pictures and prepare them while they are asked for.

    Args:
        path: of a picture, of a folder of them (its sub-folders too; files whose names begin with a
            dot are left out), or of an HDF5 or npz file with one array of images.

    Raises:
        InputError: when there are none, or an HDF5 or npz file is not what it should be.
    """
    try:
        if path.suffix.lower() in READERS and not path.is_dir():
            return _of_arrays(path)
        files = _files(path)
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read ({error.strerror}).") from error
    if not files:
        raise InputError(f"{path}: no pictures; expected PNG, JPEG, BMP, TIFF or WebP files in it.")
    return Pictures(len(files), _of_files(files, path if path.is_dir() else path.parent))


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


def _of_files(files: Sequence[Path], root: Path) -> Iterator[Batch]:
    parts = [files[start : start + _BATCH] for start in range(0, len(files), _BATCH)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        waiting = [_start(pool, file) for file in parts[0]]
        for part, following in zip(parts, [*parts[1:], []], strict=True):
            prepared = [result() for result in waiting]
            waiting = [_start(pool, file) for file in following]
            pixels, status = zip(*prepared, strict=True)
            names = [file.relative_to(root).as_posix() for file in part]
            yield Batch(names, np.stack(pixels)[..., None], status)


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
        if file.stat().st_size > _MAX_BYTES:
            return nothing, f"too large: expected at most {_MAX_BYTES:,} bytes"
        pixels = prepare_digit(decode_picture(file.read_bytes()))
    except OSError as error:
        return nothing, f"cannot be read: {error.strerror}"
    except PictureError as error:
        return nothing, str(error)
    return (nothing, BLANK) if pixels is None else (pixels, READ)


def _of_arrays(path: Path) -> Pictures:
    if not path.exists():
        raise InputError(f"{path}: no such file; expected an HDF5 or npz file of images.")
    with READERS[path.suffix.lower()](path) as contents:
        found = [array for array in contents.arrays.values() if count_images(array)]
        if len(found) != 1:
            names = ", ".join(f"'{array.name}'" for array in found) or "none"
            raise InputError(f"{path}: expected one array of images {EXPECTED}, found {names}.")
        images = Images(found[0], slice(None), str(path))
        images.survey()
        pixels = np.empty((len(images), IMAGE_SIDE, IMAGE_SIDE), np.uint8)
        images.read_into(pixels, recognise([images]))
    return Pictures(len(pixels), _of_pixels(pixels, f"{path.name}#{found[0].name}"))


def _of_pixels(pixels: Pixels, name: str) -> Iterator[Batch]:
    for start in range(0, len(pixels), _BATCH):
        part = pixels[start : start + _BATCH, ..., None]
        written = part.reshape(len(part), -1).max(axis=1) > 0
        names = [f"{name}/{start + row}" for row in range(len(part))]
        yield Batch(names, part, [READ if ink else BLANK for ink in written])
