"""Read MNIST from whatever ``ingestion.source`` names."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import cast

from kedro.utils import find_kedro_project

from mnist_kedro.arrays import Rows
from mnist_kedro.contracts import GIVEN, Mnist, check_mnist
from mnist_kedro.digest import sha256
from mnist_kedro.errors import InputError
from mnist_kedro.parameters import IngestionParameters
from mnist_kedro.sources.assemble import Assembled, assemble
from mnist_kedro.sources.canonical import Arrays, is_canonical
from mnist_kedro.sources.contents import Contents, OpenFile
from mnist_kedro.sources.download import download_idx_files
from mnist_kedro.sources.hdf5 import open_hdf5
from mnist_kedro.sources.idx import open_idx_folder
from mnist_kedro.sources.layout import find_layout
from mnist_kedro.sources.npz import open_npz
from mnist_kedro.sources.sample import HELD_OUT, SAMPLE

logger = logging.getLogger(__name__)

READERS: dict[str, Callable[[Path], AbstractContextManager[Contents]]] = {
    ".hdf5": open_hdf5,
    ".h5": open_hdf5,
    ".hdf": open_hdf5,
    ".npz": open_npz,
}
_IDX = "IDX files"
_REMEDY = "'kedro run --params ingestion.source=download' fetches MNIST"


def read_mnist(parameters: IngestionParameters) -> Mnist:
    """Read, convert, check and identify MNIST.

    Args:
        parameters: ``source`` is ``auto``, ``download``, ``sample``, or the path of an HDF5 or npz
            file or of a folder of IDX files (``.gz`` or not); ``auto`` looks for such a file or for
            IDX files in ``search_folder`` first. Of a versioned dataset its latest version is read.

    Returns:
        The arrays, and their provenance.

    Raises:
        InputError: when the source is missing, unreadable, or holds something else.
    """
    source = parameters.source
    match source:
        case "sample":
            _refuse_keys(parameters)
            return _sample(parameters)
        case "download":
            _refuse_keys(parameters)
            return _downloaded(parameters)
        case "auto":
            return _first_available(parameters)
        case _:
            return _own(_resolve(source), source, parameters)


def _first_available(parameters: IngestionParameters) -> Mnist:
    own = _find_own(_resolve(parameters.search_folder))
    if own is not None:
        logger.info("MNIST: reading %s.", own)
        return _own(own, str(own), parameters)
    _refuse_keys(parameters)
    try:
        return _downloaded(parameters)
    except InputError as error:
        logger.warning(
            "%s Using the embedded sample instead: 5,000 of MNIST's 70,000 digits. For all of them "
            "put mnist.hdf5 or the IDX files into %s and run 'kedro run --pipelines ingestion'.",
            error,
            parameters.search_folder,
        )
    return _sample(parameters)


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


def latest_version(path: Path) -> Path:
    """The latest version of a versioned dataset, if a path is that of one; else the path."""
    versions = sorted(path.glob(f"*/{path.name}")) if path.is_dir() else []
    return versions[-1] if versions else path


def _own(path: Path, source: str, parameters: IngestionParameters) -> Mnist:
    path = latest_version(path)
    try:
        reader = _reader(path, source)
        if reader is None:
            _refuse_keys(parameters)
            opening = open_idx_folder(path, parameters.max_digits)
            return _assembled(opening, path, source, parameters, _IDX)
        path.open("rb").close()  # tells a file that may not be read from a damaged one
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read ({error.strerror}).") from error
    return _assembled(reader(path), path, source, parameters)


def _reader(path: Path, source: str) -> Callable[[Path], AbstractContextManager[Contents]] | None:
    """How to open a file; None for a folder of IDX files."""
    if not path.exists():
        raise InputError(
            f"{path}: no such file or folder (ingestion.source={source}); expected auto, download, "
            "sample, or the path of an .hdf5, .h5 or .npz file or of a folder of IDX files; "
            f"{_REMEDY}."
        )
    reader = READERS.get(path.suffix.lower())
    if path.is_dir():
        if reader is not None:
            raise InputError(f"{path}: a folder; expected a file, as its name says.")
        return None
    if reader is None:
        raise InputError(
            f"{path}: cannot read MNIST from a '{path.suffix}' file; "
            f"expected one of {', '.join(READERS)} or a folder of IDX files."
        )
    return reader


def _assembled(
    opening: AbstractContextManager[Contents],
    path: Path,
    source: str,
    parameters: IngestionParameters,
    name: str = "",
) -> Mnist:
    keys = parameters.keys.model_dump(exclude_none=True) if parameters.keys else None
    with ExitStack() as stack:
        file = OpenFile(opening)
        stack.callback(file.close)
        layout = find_layout(file.contents, keys)
        assembled = assemble(layout, str(path), parameters)
        mnist = _identified(assembled, name or layout.name, source)
        for array in assembled.arrays.values():
            if isinstance(array, Rows):  # to be read once more, when it is saved
                array.keep = file
                stack.pop_all()
    return mnist


def _downloaded(parameters: IngestionParameters) -> Mnist:
    return _identified(_plain(download_idx_files(parameters)), _IDX, "download")


def _sample(parameters: IngestionParameters) -> Mnist:
    mnist = _assembled(open_hdf5(SAMPLE), SAMPLE, "sample", parameters)
    mnist["test_split"] = HELD_OUT
    return mnist


def _plain(arrays: Arrays) -> Assembled:
    return Assembled(arrays, "none", GIVEN)


def _identified(assembled: Assembled, layout: str, source: str) -> Mnist:
    check_mnist(assembled.arrays, source)
    digests = {key: sha256(array) for key, array in assembled.arrays.items()}
    mnist = dict(
        **assembled.arrays,
        source=source,
        layout=layout,
        conversions=assembled.conversions,
        test_split=assembled.test_split,
        canonical_mnist=is_canonical(digests),
        **{f"sha256_{key}": value for key, value in digests.items()},
    )
    return cast("Mnist", mnist)


def _refuse_keys(parameters: IngestionParameters) -> None:
    if parameters.keys:
        raise InputError(
            "ingestion.keys says where the arrays lie in an HDF5 or npz file; "
            f"ingestion.source={parameters.source} reads no such file here."
        )


def _resolve(path: str) -> Path:
    """The path as seen from the current folder or else from the project's."""
    given = Path(path).expanduser()
    if given.is_absolute() or given.exists():
        return given
    return (find_kedro_project(Path.cwd()) or Path.cwd()) / given
