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

from mnist_kedro.errors import InputError
from mnist_kedro.sources.canonical import Arrays

FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
_UNSIGNED_BYTE = 8
_LARGEST = 2**33  # bytes; a header that declares more is not believed


def read_idx_folder(folder: Path) -> Arrays:
    """Read the four IDX files of a folder.

    Raises:
        InputError: when one is missing or malformed.
    """
    return {key: read_idx(_find(folder, name)) for key, name in FILES.items()}


def read_idx(path: Path) -> np.ndarray:
    """Read one IDX file of unsigned bytes, gzipped if its name ends in ``.gz``.

    Returns:
        The values as uint8, in the shape that the header declares.

    Raises:
        InputError: when the header is not IDX or the values are fewer or more than it declares.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return _parse(cast("IO[bytes]", file), path)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(
            f"{path}: damaged or truncated gzip file; copy or download it again ({error})."
        ) from error


def _parse(file: IO[bytes], path: Path) -> np.ndarray:
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
    if count > _LARGEST:
        raise InputError(f"{path}: declares {count} bytes of values; at most {_LARGEST} are read.")
    values = file.read(count + 1)  # one more than declared: reads, and checks, gzip's trailer too
    if len(values) != count:
        found = "more" if len(values) > count else len(values)
        raise InputError(f"{path}: declares {count} bytes of values, but holds {found}.")
    return np.frombuffer(values, dtype=np.uint8).reshape(shape)


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
