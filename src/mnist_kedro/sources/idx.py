"""Read the IDX files in which MNIST was published.

The format: two zero bytes, a type code (8 for unsigned bytes), the number of dimensions, each
dimension as a big-endian 32-bit integer, then the values. Source: Y. LeCun, C. Cortes, C. Burges,
"The MNIST database of handwritten digits".
"""

import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import IO, cast

import numpy as np

from mnist_kedro.contracts import IMAGE_SIDE
from mnist_kedro.errors import InputError
from mnist_kedro.sources.contents import Contents, StoredArray
from mnist_kedro.sources.streams import RowStream, TooLongError, TooShortError

FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
_UNSIGNED_BYTE = 8


@contextmanager
def open_idx_folder(folder: Path, max_digits: int) -> Iterator[Contents]:
    """Open and describe the four IDX files of a folder, to be read inside the ``with`` block.

    Raises:
        InputError: if a file is missing or not an IDX file. Reading an array raises it if the file
            is corrupt.
    """
    with ExitStack() as stack:
        arrays = {
            key: stack.enter_context(_open_idx(_find_file(folder, name), key, max_digits))
            for key, name in FILES.items()
        }
        yield Contents(path=folder, arrays=arrays, form="IDX files")


def read_idx(path: Path, max_digits: int = 70_000) -> np.ndarray:
    """Read one IDX file of unsigned bytes, gzipped if its name ends in ``.gz``.

    Args:
        path: of the file.
        max_digits: larger files, with more values than this many images, are rejected.

    Returns:
        The values as uint8, in the shape that the header declares.

    Raises:
        InputError: if the header is not IDX, or declares more or fewer values than the file holds.
    """
    with _open_idx(path, path.name, max_digits) as array:
        return array.read(0, slice(None))


@contextmanager
def _open_idx(path: Path, name: str, max_digits: int) -> Iterator[StoredArray]:
    def open_values() -> IO[bytes]:
        file = _open_file(path)
        _read_header(file, path)
        return file

    with _gzip_errors_reported(path):
        with _open_file(path) as file:
            shape = _read_header(file, path)
        count = math.prod(shape)
        if count > max_digits * IMAGE_SIDE**2:
            raise InputError(
                f"{path}: declares {count:,} bytes of values; at most {max_digits:,} digits are "
                "read (ingestion.max_digits)."
            )
    stream = RowStream(open_values, shape, np.dtype(np.uint8))

    def read(axis: int, rows: slice) -> np.ndarray:
        with _gzip_errors_reported(path):
            try:
                return stream.read(axis, rows)
            except TooShortError as error:
                held: object = error.held
            except TooLongError:
                held = "more"
            raise InputError(f"{path}: declares {count} bytes of values, but holds {held}.")

    with closing(stream):
        yield StoredArray(name, shape, np.dtype(np.uint8), read)


def _open_file(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path) if path.suffix == ".gz" else path.open("rb"))


def _read_header(file: IO[bytes], path: Path) -> tuple[int, ...]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:3] != bytes([0, 0, _UNSIGNED_BYTE]) or magic[3] == 0:
        raise InputError(
            f"{path}: not an IDX file of unsigned bytes; "
            f"expected it to begin with 00 00 08, found {magic[:3].hex(' ') or 'nothing'}."
        )
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise InputError(f"{path}: truncated IDX header; copy or download it again.")
    return struct.unpack(f">{magic[3]}I", sizes)


@contextmanager
def _gzip_errors_reported(path: Path) -> Iterator[None]:
    """Raise an InputError instead of the exceptions that a corrupt gzip file causes."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(
            f"{path}: corrupt or truncated gzip file; copy or download it again ({error})."
        ) from error


def _find_file(folder: Path, name: str) -> Path:
    """Find a file, with or without ``.gz``, or with a dot before ``idx`` as some tools write it."""
    candidates = [
        folder / (spelling + suffix)
        for spelling in (name, name.replace("-idx", ".idx"))
        for suffix in ("", ".gz")
    ]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise InputError(
        f"{folder}: IDX file '{name}' or '{name}.gz' is missing; "
        f"expected the four files {', '.join(FILES.values())}."
    )
