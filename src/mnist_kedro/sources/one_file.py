"""Open one file of any format."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from mnist_kedro.contracts import IMAGE_SIDE
from mnist_kedro.errors import InputError
from mnist_kedro.sources.child_process import open_in_child
from mnist_kedro.sources.contents import (
    Contents,
    describe_array,
    report_corruption,
    report_full_disk,
)
from mnist_kedro.sources.formats import SUFFIXES, detect_format, find_compression, stem
from mnist_kedro.sources.idx import map_idx
from mnist_kedro.sources.npz import map_npy, open_npz

_PIECE_BYTES = 2**20
_SLACK_BYTES = 2**24  # allowance for headers
EXPECTED = (
    "an HDF5, npz, npy, CSV, MATLAB, pickle or Parquet file, or a folder of such files, of IDX "
    "files or of pictures in sub-folders 0–9 (docs/data.md)"
)
ADVICE = {
    "zip": "a zip archive; unzip it, and set the folder: --params ingestion.source=FOLDER",
    "archive": "an archive; extract it, and set the folder: --params ingestion.source=FOLDER",
    "torch": "a PyTorch file, which can run code when it is loaded; save its arrays with "
    "numpy.savez('mnist.npz', x_train=…, y_train=…, x_test=…, y_test=…)",
    "picture": "one picture; expected labeled pictures: set a folder with sub-folders 0–9 of "
    "pictures, or classify it: kedro run --pipelines inference --params inference.images=PICTURE",
}


@contextmanager
def open_file(path: Path, max_digits: int) -> Iterator[Contents]:
    """Open a file of any format and describe its arrays.

    Args:
        path: path of the file.
        max_digits: larger files are rejected, except HDF5 files, which are read in parts.

    Yields:
        The contents; the arrays can be read inside the ``with`` block.

    Raises:
        InputError: if the file is empty, corrupt or too large, or has an unknown format. Reading
            an array may raise InputError, too.
    """
    if path.stat().st_size == 0:
        raise InputError(f"{path}: empty file; copy or download it again.")
    format_name = detect_format(path)
    if format_name == "idx":
        name = stem(path)
        yield Contents(path, {name: describe_array(name, map_idx(path, max_digits))})
        return
    with _decompress(path, max_digits) as copy:
        if copy is not path:
            twice = find_compression(copy) is not None
            format_name = "archive" if twice else detect_format(copy, named=path)
        if format_name == "npz":
            with open_npz(copy, shown=path) as contents:
                yield contents
        elif format_name == "npy":
            name = stem(path)
            yield Contents(path, {name: describe_array(name, map_npy(copy, shown=path))})
        elif format_name in SUFFIXES.values():
            with open_in_child(str(format_name), copy, max_digits, shown=path) as contents:
                yield contents
        elif format_name in ADVICE:
            raise InputError(f"{path}: {ADVICE[format_name]}.")
        else:
            raise InputError(f"{path}: unknown format; expected {EXPECTED}.")


@contextmanager
def _decompress(path: Path, max_digits: int) -> Iterator[Path]:
    """Decompress a compressed file to a temporary folder; yield the path of the plain file.

    Raises:
        InputError: if the file is corrupt, or larger than ``max_digits`` digits with 8 bytes per
            pixel, or the temporary folder has too little space.
    """
    opener = find_compression(path)
    if opener is None:
        yield path
        return
    limit = max_digits * IMAGE_SIDE**2 * 8 + _SLACK_BYTES
    with ExitStack() as stack:
        with report_full_disk(path, limit):
            folder = tempfile.TemporaryDirectory(prefix="mnist_kedro_", ignore_cleanup_errors=True)
            copy = Path(stack.enter_context(folder), "content")
            with report_corruption(path, "corrupt compressed file"), opener(path) as file:
                _copy(file, copy, limit, path)
        yield copy


def _copy(file: IO[bytes], copy: Path, limit: int, path: Path) -> None:
    with copy.open("wb") as target:
        while piece := file.read(_PIECE_BYTES):
            if target.tell() + len(piece) > limit:
                raise InputError(
                    f"{path}: decompresses to more than {limit:,} bytes, the size of "
                    "ingestion.max_digits digits."
                )
            target.write(piece)
