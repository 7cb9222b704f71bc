"""Open the pictures that ``inference.images`` names."""

from pathlib import Path

from mnist_kedro.errors import InputError
from mnist_kedro.pictures.batches import Pictures
from mnist_kedro.pictures.files import open_folder
from mnist_kedro.pictures.stored import open_arrays
from mnist_kedro.sources.formats import SUFFIXES, detect_format
from mnist_kedro.versions import latest_version


def open_pictures(
    path: Path, trained_on: str | None = None, *, all_digits: bool = False
) -> Pictures:
    """Find pictures; they are read and prepared when their batches are taken.

    Args:
        path: of a picture; of a folder of pictures, with its subfolders but without hidden files;
            or of a file of another format of docs/data.md, with one array of images or in a layout
            of MNIST (all splits are used).
        trained_on: as of :func:`~mnist_kedro.pictures.stored.open_arrays`.
        all_digits: find all digits of each picture of a folder, instead of the main one.

    Raises:
        InputError: if there are no pictures, or the file has other content.
    """
    path = latest_version(path)
    try:
        if _holds_arrays(path):
            return open_arrays(path, trained_on)
        return open_folder(path, all_digits=all_digits)
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read ({error.strerror}).") from error


def _holds_arrays(path: Path) -> bool:
    if path.is_file():
        return detect_format(path) not in {None, "picture"}
    return path.suffix.lower() in SUFFIXES and not path.exists()
