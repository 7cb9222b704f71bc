"""Read MNIST from an HDF5 file that somebody made."""

from pathlib import Path

import h5py
import numpy as np

from mnist_kedro.errors import InputError
from mnist_kedro.sources.canonical import Arrays

# The one layout that is read today; another one would be another tuple of keys here.
KEYS = ("x_train", "y_train", "x_test", "y_test")


def read_hdf5(path: Path) -> Arrays:
    """Read the datasets ``x_train y_train x_test y_test`` of an HDF5 file.

    Raises:
        InputError: when the file is empty, truncated, not HDF5, or lacks one of the keys.
    """
    if path.stat().st_size == 0:
        raise InputError(f"{path}: empty file; expected HDF5 with the keys {', '.join(KEYS)}.")
    if not h5py.is_hdf5(path):
        raise InputError(f"{path}: not an HDF5 file.")
    try:
        with h5py.File(path, "r") as file:
            return {key: _read_dataset(file, key, path) for key in KEYS}
    except OSError as error:
        reason = "truncated" if "truncated" in str(error) else "damaged"
        raise InputError(f"{path}: {reason} HDF5 file ({error}).") from error


def _read_dataset(file: h5py.File, key: str, path: Path) -> np.ndarray:
    if key not in file:
        raise InputError(
            f"{path}: key '{key}' is missing; expected {', '.join(KEYS)}, "
            f"found {', '.join(sorted(file)) or 'none'}."
        )
    if not isinstance(file[key], h5py.Dataset):
        raise InputError(f"{path}: '{key}' is a group; expected a dataset.")
    return file[key][()]
