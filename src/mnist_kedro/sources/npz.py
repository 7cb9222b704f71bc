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
from mnist_kedro.sources.contents import Contents, StoredArray
from mnist_kedro.sources.streams import RowStream

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


@contextmanager
def open_npz(path: Path) -> Iterator[Contents]:
    """Describe the arrays of an ``.npz`` file, which can be read until it is left.

    Nothing is unpickled, and no array is read that its file has not the values for.

    Raises:
        InputError: when the file is no ``.npz`` or damaged; so does the ``read`` of an array.
    """
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path}: no .npz file, or a truncated one; copy or download it again.")
    try:
        archive = zipfile.ZipFile(path)
    except Exception as error:
        raise _damaged(path, error) from error
    with archive, ExitStack() as stack:
        names = [name for name in archive.namelist() if name.endswith(".npy")]
        arrays = [stack.enter_context(_open_member(archive, name, path)) for name in names]
        yield Contents(path=path, arrays={array.name: array for array in arrays})


@contextmanager
def _open_member(archive: zipfile.ZipFile, member: str, path: Path) -> Iterator[StoredArray]:
    try:
        with archive.open(member) as file:
            shape, columns_first, dtype = _HEADERS[npy.read_magic(file)](file)
            header = file.tell()
            held = archive.getinfo(member).file_size - header
    except Exception as error:
        raise _damaged(path, error) from error
    name = member.removesuffix(".npy")

    def begin() -> IO[bytes]:
        file = archive.open(member)
        file.read(header)
        return file

    def read(axis: int, rows: slice) -> np.ndarray:
        if dtype.hasobject:
            raise InputError(f"{path}: '{name}' holds Python objects; expected plain values.")
        declared = math.prod(shape) * dtype.itemsize
        if declared != held:
            raise InputError(f"{path}: '{name}' declares {declared} bytes, but holds {held}.")
        try:
            if not columns_first:
                return stream.read(axis, rows)
            with archive.open(member) as file:
                array = npy.read_array(file, allow_pickle=False)
                file.read(1)  # reaches the end, where the checksum is compared
        except Exception as error:
            raise _damaged(path, error) from error
        return array[(slice(None),) * axis + (rows,)]

    stream = RowStream(begin, shape, dtype)
    with closing(stream):
        yield StoredArray(name, shape, dtype, read)


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(f"{path}: damaged .npz file; copy or download it again ({error}).")
