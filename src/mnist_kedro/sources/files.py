"""Find and open a file or folder of MNIST."""

from contextlib import AbstractContextManager
from pathlib import Path

from mnist_kedro.errors import InputError
from mnist_kedro.project_folder import project_folder
from mnist_kedro.sources.contents import Contents
from mnist_kedro.sources.folders import open_folder, survey
from mnist_kedro.sources.formats import detect_format
from mnist_kedro.sources.one_file import open_file
from mnist_kedro.versions import latest_version


def resolve_path(path: str) -> Path:
    """Resolve a path relative to the current folder or, if it is missing, to the project."""
    given = Path(path).expanduser()
    if given.is_absolute() or given.exists():
        return given
    return project_folder() / given


def find_source(folder: Path) -> Path | None:
    """Find MNIST in a folder.

    Returns:
        The path of the only file; the folder itself if it holds IDX files, several files of one
        data set, or pictures in sub-folders 0–9; None if it holds none of these.

    Raises:
        InputError: if the folder holds several data sets.
    """
    if not folder.is_dir():
        return None
    found = survey(folder)
    found.check_one_data_set()
    if len(found.files) == 1 and not found.pictures and "idx" not in found.files.values():
        return next(iter(found.files))
    return folder if found else None


def open_source(path: Path, max_digits: int) -> AbstractContextManager[Contents]:
    """Open a file of any supported format, a folder, or the latest version of a versioned dataset.

    Args:
        path: path of the file or folder.
        max_digits: larger files are rejected, except HDF5 files, which are read in parts.

    Returns:
        A context manager that yields the contents; the arrays can be read inside the ``with``
        block. Entering it raises InputError if the content cannot be read.

    Raises:
        InputError: if the path does not exist, or is one of the four IDX files.
    """
    path = latest_version(path)
    if not path.exists():
        raise InputError(
            f"{path}: no such file or folder (ingestion.source); expected auto, download, "
            "sample, or the path of a file or folder in a format that docs/data.md lists; "
            "'kedro run --params ingestion.source=download' downloads MNIST."
        )
    if path.is_dir():
        return open_folder(path, max_digits)
    if detect_format(path) == "idx":
        raise InputError(
            f"{path}: one of MNIST's IDX files; set the folder with all four of them: "
            f"--params ingestion.source={path.parent}"
        )
    return open_file(path, max_digits)
