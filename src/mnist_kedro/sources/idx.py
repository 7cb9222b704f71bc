"""Read MNIST from the IDX files in which it was published.

The format: two zero bytes, a type code (8 for unsigned bytes), the number of dimensions, each
dimension as a big-endian 32-bit integer, then the values. Source: Y. LeCun, C. Cortes, C. Burges,
"The MNIST database of handwritten digits".
"""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import IO, cast

import numpy as np

from mnist_kedro.contracts import IMAGE_SIDE
from mnist_kedro.errors import InputError
from mnist_kedro.sources.canonical import Arrays

FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
_UNSIGNED_BYTE = 8
_PIECE = 2**20  # bytes read at once, so that no more is allocated than a file has


def read_idx_folder(folder: Path, max_digits: int) -> Arrays:
    """Read the four IDX files of a folder; see :func:`read_idx`.

    Raises:
        InputError: when one is missing or malformed.
    """
    return {key: read_idx(_find(folder, name), max_digits) for key, name in FILES.items()}


def read_idx(path: Path, max_digits: int = 70_000) -> np.ndarray:
    """Read one IDX file of unsigned bytes, gzipped if its name ends in ``.gz``.

    Args:
        path: of the file.
        max_digits: a file that declares more values than so many digits have pixels is refused.

    Returns:
        The values as uint8, in the shape that the header declares.

    Raises:
        InputError: when the header is not IDX or the values are fewer or more than it declares.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return _parse(cast("IO[bytes]", file), path, max_digits)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(
            f"{path}: damaged or truncated gzip file; copy or download it again ({error})."
        ) from error


def _parse(file: IO[bytes], path: Path, max_digits: int) -> np.ndarray:
    magic = file.read(4)
    if len(magic) < 4 or magic[:3] != bytes([0, 0, _UNSIGNED_BYTE]) or magic[3] == 0:
        raise InputError(
            f"{path}: not an IDX file of unsigned bytes; "
            f"expected it to begin with 00 00 08, found {magic[:3].hex(' ') or 'nothing'}."
        )
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise InputError(f"{path}: truncated in its header.")
    shape = struct.unpack(f">{magic[3]}I", sizes)
    count = math.prod(shape)
    if count > max_digits * IMAGE_SIDE**2:
        raise InputError(
            f"{path}: declares {count:,} bytes of values; at most {max_digits:,} digits are read "
            "(ingestion.max_digits)."
        )
    values = _read_at_most(file, count + 1)  # one more: reads, and checks, gzip's trailer too
    if len(values) != count:
        found = "more" if len(values) > count else len(values)
        raise InputError(f"{path}: declares {count} bytes of values, but holds {found}.")
    return np.frombuffer(values, dtype=np.uint8).reshape(shape)


def _read_at_most(file: IO[bytes], count: int) -> bytearray:
    """What the file has, up to ``count`` bytes, whatever its header promised."""
    values = bytearray()
    while piece := file.read(min(_PIECE, count - len(values))):
        values += piece
    return values


def _find(folder: Path, name: str) -> Path:
    """The file of that name, also as ``.gz`` or with a dot before ``idx`` as some unpackers do."""
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
        f"expected the four of {', '.join(FILES.values())}."
    )
