"""Read NumPy ``.npz`` files, such as Keras's ``mnist.npz``, and ``.npy`` files."""

import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from mnist_kedro.errors import InputError
from mnist_kedro.sources.contents import (
    Contents,
    StoredArray,
    map_decompressed,
    report_corruption,
    select_rows,
)

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_FAULT = "corrupt .npz file"


@contextmanager
def open_npz(path: Path, *, shown: Path | None = None) -> Iterator[Contents]:
    """Open an ``.npz`` file and describe its arrays, which can be read inside the ``with`` block.

    If ``path`` is a temporary copy, error messages name the path ``shown``. Nothing is unpickled.
    An array is decompressed when it is first read, and only if its header and the archive declare
    the same size.

    Raises:
        InputError: if the file is corrupt or not an ``.npz`` file. Reading an array raises
            InputError if the array is corrupt or holds objects.
    """
    named = shown or path
    if not zipfile.is_zipfile(path):
        raise InputError(f"{named}: not an .npz file, or truncated; copy or download it again.")
    with report_corruption(named, _FAULT):
        archive = zipfile.ZipFile(path)
    with archive:
        members = [name for name in archive.namelist() if name.endswith(".npy")]
        arrays = [_describe_member(archive, member, named) for member in members]
        yield Contents(path=named, arrays={array.name: array for array in arrays})


def map_npy(path: Path, *, shown: Path) -> np.ndarray:
    """Memory-map the values of an ``.npy`` file; raise InputError if it holds objects."""
    with report_corruption(shown, "corrupt .npy file"):
        with path.open("rb") as file:
            _, _, dtype = _HEADERS[npy.read_magic(file)](file)
        if dtype.hasobject:
            raise InputError(f"{shown}: holds Python objects; expected plain values.")
        return npy.open_memmap(path, "r")


def _describe_member(archive: zipfile.ZipFile, member: str, path: Path) -> StoredArray:
    with report_corruption(path, _FAULT), archive.open(member) as file:
        shape, fortran_order, dtype = _HEADERS[npy.read_magic(file)](file)
        header_bytes = file.tell()
    name = member.removesuffix(".npy")

    @cache
    def load() -> np.ndarray:
        if dtype.hasobject:
            raise InputError(f"{path}: '{name}' holds Python objects; expected plain values.")
        size, declared = archive.getinfo(member).file_size, math.prod(shape) * dtype.itemsize
        if declared != size - header_bytes:
            raise InputError(
                f"{path}: '{name}' declares {declared} bytes, but holds {size - header_bytes}."
            )
        with report_corruption(path, _FAULT), archive.open(member) as file:
            values = map_decompressed(file, size, path)[header_bytes:].view(dtype)
            return values.reshape(shape, order="F" if fortran_order else "C")

    return StoredArray(name, shape, dtype, lambda axis, rows: select_rows(load(), axis, rows))
