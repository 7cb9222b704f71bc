"""Read the IDX files in which MNIST was published.

The format: two zero bytes, a type code (8 for unsigned bytes), the number of dimensions, each
dimension as a big-endian 32-bit integer, then the values. Source: Y. LeCun, C. Cortes, C. Burges,
"The MNIST database of handwritten digits".
"""

import gzip
import math
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from mnist_kedro.contracts import IMAGE_SIDE
from mnist_kedro.errors import InputError
from mnist_kedro.sources.contents import (
    Contents,
    describe_array,
    map_decompressed,
    report_corruption,
)
from mnist_kedro.sources.formats import find_compression

FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
_UNSIGNED_BYTE = 8


@contextmanager
def open_idx_files(folder: Path, files: Mapping[str, Path], max_digits: int) -> Iterator[Contents]:
    """Open and describe MNIST's four IDX files, or only those of the training digits.

    The values are memory-mapped.

    Args:
        folder: the folder of the files, for error messages.
        files: paths by name, with the names in ``FILES``.
        max_digits: larger files are rejected.

    Raises:
        InputError: if a file is missing, corrupt or not an IDX file.
    """
    test = {FILES["x_test"], FILES["y_test"]}
    expected = {key: name for key, name in FILES.items() if name not in test or test & {*files}}
    for name in expected.values():
        if name not in files:
            raise InputError(
                f"{folder}: IDX file '{name}' or '{name}.gz' is missing; "
                f"expected the four files {', '.join(FILES.values())}."
            )
    arrays = {
        key: describe_array(key, map_idx(files[name], max_digits)) for key, name in expected.items()
    }
    yield Contents(path=folder, arrays=arrays, form="IDX files")


def read_idx(path: Path, max_digits: int = 70_000) -> np.ndarray:
    """Read one IDX file of unsigned bytes, compressed or not.

    Args:
        path: path of the file.
        max_digits: files with more values than this many images are rejected.

    Returns:
        The values as uint8, in the shape that the header declares.

    Raises:
        InputError: if the header is not IDX, or declares more or fewer values than the file holds.
    """
    return np.array(map_idx(path, max_digits))


def map_idx(path: Path, max_digits: int) -> np.ndarray:
    """Memory-map the values of an IDX file; :func:`read_idx` describes arguments and errors."""
    opener: Any = find_compression(path) or (gzip.GzipFile if path.suffix == ".gz" else None)
    zipped = opener is not None
    kind = "gzip" if path.suffix == ".gz" else "compressed"
    fault = f"corrupt {f'or truncated {kind}' if zipped else 'IDX'} file"
    with (opener or _open_plain)(path) as file, report_corruption(path, fault):
        shape = _read_header(file, path)
        header_bytes, count = file.tell(), math.prod(shape)
        if count > max_digits * IMAGE_SIDE**2:
            raise InputError(
                f"{path}: declares {count:,} bytes of values; at most {max_digits:,} digits are "
                "read (ingestion.max_digits)."
            )
        if zipped:
            file.seek(0)  # The copy includes the header, because an empty file cannot be mapped.
            content = map_decompressed(file, header_bytes + count + 1, path)
        else:
            content = np.memmap(file, np.uint8, "r")
        held = len(content) - header_bytes
        if held != count:
            raise InputError(
                f"{path}: declares {count} bytes of values, but holds "
                f"{held if held < count else 'more'}."
            )
        return content[header_bytes:].reshape(shape)


def _open_plain(path: Path) -> IO[bytes]:
    return path.open("rb")


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
