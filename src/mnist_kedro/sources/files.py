"""Find and open a file or folder of MNIST."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from kedro.utils import find_kedro_project

from mnist_kedro.errors import InputError
from mnist_kedro.sources.contents import Contents
from mnist_kedro.sources.hdf5 import open_hdf5
from mnist_kedro.sources.idx import open_idx_folder
from mnist_kedro.sources.npz import open_npz
from mnist_kedro.versions import latest_version

OPENERS: dict[str, Callable[[Path], AbstractContextManager[Contents]]] = {
    ".hdf5": open_hdf5,
    ".h5": open_hdf5,
    ".hdf": open_hdf5,
    ".npz": open_npz,
}


def resolve_path(path: str) -> Path:
    """Resolve a path from the current folder, or else from the project's folder."""
    given = Path(path).expanduser()
    if given.is_absolute() or given.exists():
        return given
    return (find_kedro_project(Path.cwd()) or Path.cwd()) / given


def find_source(folder: Path) -> Path | None:
    """Find the file of MNIST in a folder.

    Returns:
        The file; the folder itself if it holds IDX files; None if there is neither.

    Raises:
        InputError: if there are several files.
    """
    if not folder.is_dir():
        return None
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in OPENERS)
    if len(files) > 1:
        names = ", ".join(file.name for file in files)
        raise InputError(
            f"{folder}: expected one MNIST file, found {len(files)} ({names}); "
            f"name the one to use: --params ingestion.source={files[0]}"
        )
    if files:
        return files[0]
    return folder if any(folder.glob("*idx*")) else None


def open_source(path: Path, max_digits: int) -> AbstractContextManager[Contents]:
    """Open an HDF5 or npz file, or a folder of IDX files; of a versioned dataset, the latest.

    Args:
        path: of the file or folder.
        max_digits: larger IDX files are rejected.

    Raises:
        InputError: if the path does not exist, cannot be read, or has another suffix.
    """
    path = latest_version(path)
    if not path.exists():
        raise InputError(
            f"{path}: no such file or folder (ingestion.source); expected auto, download, "
            "sample, or the path of an .hdf5, .h5 or .npz file or of a folder of IDX files; "
            "'kedro run --params ingestion.source=download' downloads MNIST."
        )
    opener = OPENERS.get(path.suffix.lower())
    if path.is_dir():
        if opener is not None:
            raise InputError(f"{path}: a folder; expected a file, because of its suffix.")
        return open_idx_folder(path, max_digits)
    if opener is None:
        raise InputError(
            f"{path}: cannot read MNIST from a '{path.suffix}' file; "
            f"expected one of {', '.join(OPENERS)} or a folder of IDX files."
        )
    path.open("rb").close()  # distinguishes a file without permission from a damaged one
    return opener(path)
