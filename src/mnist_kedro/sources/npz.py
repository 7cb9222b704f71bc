"""Read NumPy ``.npz`` files, such as Keras's ``mnist.npz``."""

import math
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from mnist_kedro.errors import InputError
from mnist_kedro.sources.contents import Contents, StoredArray, select_rows
from mnist_kedro.sources.streams import RowStream

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


@contextmanager
def open_npz(path: Path) -> Iterator[Contents]:
    """Open an ``.npz`` file and describe its arrays, which can be read inside the ``with`` block.

    Nothing is unpickled, and memory is allocated only for values that the file holds.

    Raises:
        InputError: if the file is corrupt or not an ``.npz`` file; also when an array is read.
    """
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path}: not an .npz file, or truncated; copy or download it again.")
    try:
        archive = zipfile.ZipFile(path)
    except Exception as error:
        raise _corruption_error(path, error) from error
    with archive, ExitStack() as stack:
        names = [name for name in archive.namelist() if name.endswith(".npy")]
        arrays = [stack.enter_context(_open_member(archive, name, path)) for name in names]
        yield Contents(path=path, arrays={array.name: array for array in arrays})


@contextmanager
def _open_member(archive: zipfile.ZipFile, member: str, path: Path) -> Iterator[StoredArray]:
    try:
        with archive.open(member) as file:
            shape, fortran_order, dtype = _HEADERS[npy.read_magic(file)](file)
            header_bytes = file.tell()
            held = archive.getinfo(member).file_size - header_bytes
    except Exception as error:
        raise _corruption_error(path, error) from error
    name = member.removesuffix(".npy")

    def open_values() -> IO[bytes]:
        file = archive.open(member)
        file.read(header_bytes)
        return file

    def read(axis: int, rows: slice) -> np.ndarray:
        if dtype.hasobject:
            raise InputError(f"{path}: '{name}' holds Python objects; expected plain values.")
        declared = math.prod(shape) * dtype.itemsize
        if declared != held:
            raise InputError(f"{path}: '{name}' declares {declared} bytes, but holds {held}.")
        try:
            if not fortran_order:
                return stream.read(axis, rows)
            with archive.open(member) as file:
                array = npy.read_array(file, allow_pickle=False)
                file.read(1)  # zipfile compares the checksum when it reaches the end
        except Exception as error:
            raise _corruption_error(path, error) from error
        return select_rows(array, axis, rows)

    stream = RowStream(open_values, shape, dtype)
    with closing(stream):
        yield StoredArray(name, shape, dtype, read)


def _corruption_error(path: Path, error: Exception) -> InputError:
    return InputError(f"{path}: corrupt .npz file; copy or download it again ({error}).")
