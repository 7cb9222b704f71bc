"""Read MNIST from whatever ``ingestion.source`` names."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from kedro.utils import find_kedro_project

from mnist_kedro.contracts import Mnist, check_mnist
from mnist_kedro.errors import InputError
from mnist_kedro.sources.canonical import Arrays, is_canonical
from mnist_kedro.sources.download import download_idx_files
from mnist_kedro.sources.hdf5 import read_hdf5
from mnist_kedro.sources.idx import read_idx_folder
from mnist_kedro.sources.npz import read_npz
from mnist_kedro.sources.sample import SAMPLE

logger = logging.getLogger(__name__)

READERS: dict[str, Callable[[Path], Arrays]] = {
    ".hdf5": read_hdf5,
    ".h5": read_hdf5,
    ".npz": read_npz,
}


def read_mnist(
    source: str, *, search_folder: str, mirrors: Sequence[str], timeout_seconds: float
) -> Mnist:
    """Read, check and identify MNIST.

    Args:
        source: ``auto``, ``download``, ``sample``, or the path of a ``.hdf5``/``.h5``/``.npz`` file
            or of a folder of IDX files (``.gz`` or not).
        search_folder: where ``auto`` looks for such a file or for IDX files first.
        mirrors: addresses of folders that hold the four IDX files.
        timeout_seconds: how long a mirror may stay silent.

    Returns:
        The arrays, with the source that they came from and whether their content is the
        canonical MNIST.

    Raises:
        InputError: when the source is missing, unreadable, or holds something else.
    """
    match source:
        case "sample":
            return _identified(read_hdf5(SAMPLE), "sample")
        case "download":
            return _identified(download_idx_files(mirrors, timeout_seconds), "download")
        case "auto":
            return _read_first_available(search_folder, mirrors, timeout_seconds)
        case _:
            return _read_path(_resolve(source), source)


def _read_first_available(
    search_folder: str, mirrors: Sequence[str], timeout_seconds: float
) -> Mnist:
    own = _find_own(_resolve(search_folder))
    if own is not None:
        logger.info("MNIST: reading %s.", own)
        return _read_path(own, str(own))
    try:
        return _identified(download_idx_files(mirrors, timeout_seconds), "download")
    except InputError as error:
        logger.warning(
            "%s Using the embedded sample instead: 5,000 of MNIST's 70,000 digits. For all of them "
            "put mnist.hdf5 or the IDX files into %s and run 'kedro run --pipelines ingestion'.",
            error,
            search_folder,
        )
    return _identified(read_hdf5(SAMPLE), "sample")


def _find_own(folder: Path) -> Path | None:
    """The person's own file in the folder, or the folder itself if it holds IDX files."""
    if not folder.is_dir():
        return None
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in READERS)
    if len(files) > 1:
        names = ", ".join(file.name for file in files)
        raise InputError(
            f"{folder}: expected one MNIST file, found {len(files)} ({names}); "
            f"name the one to use: --params ingestion.source={files[0]}"
        )
    if files:
        return files[0]
    return folder if any(folder.glob("*idx*")) else None


def _read_path(path: Path, source: str) -> Mnist:
    try:
        if path.is_dir():
            return _identified(read_idx_folder(path), source)
        path.open("rb").close()  # tells a file that may not be read from a damaged one
    except FileNotFoundError as error:
        raise InputError(
            f"{path}: no such file or folder (ingestion.source={source}); expected auto, download, "
            "sample, or the path of an .hdf5, .h5 or .npz file or of a folder of IDX files."
        ) from error
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read ({error.strerror}).") from error
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            f"{path}: cannot read MNIST from a '{path.suffix}' file; "
            f"expected one of {', '.join(READERS)} or a folder of IDX files."
        )
    return _identified(reader(path), source)


def _identified(arrays: Arrays, source: str) -> Mnist:
    check_mnist(arrays, source)
    mnist = Mnist(
        x_train=arrays["x_train"],
        y_train=arrays["y_train"].astype(np.uint8),
        x_test=arrays["x_test"],
        y_test=arrays["y_test"].astype(np.uint8),
        source=source,
        canonical_mnist=False,
    )
    mnist["canonical_mnist"] = is_canonical(mnist)
    return mnist


def _resolve(path: str) -> Path:
    """The path as seen from the current folder or else from the project's."""
    given = Path(path).expanduser()
    if given.is_absolute() or given.exists():
        return given
    return (find_kedro_project(Path.cwd()) or Path.cwd()) / given
