"""Read MNIST from an HDF5 file that somebody made."""

from pathlib import Path

import h5py
import numpy as np

from mnist_kedro.errors import InputError
from mnist_kedro.sources.canonical import Arrays
from mnist_kedro.sources.layout import KEYS, check_keys


def read_hdf5(path: Path) -> Arrays:
    """Read the datasets ``x_train y_train x_test y_test`` of an HDF5 file.

    Raises:
        InputError: when the file is empty, truncated, not HDF5, or lacks one of the keys.
    """
    if path.stat().st_size == 0:
        raise InputError(f"{path}: empty file; copy or download it again.")
    if not h5py.is_hdf5(path):
        raise InputError(f"{path}: not an HDF5 file, whatever its name says.")
    try:
        with h5py.File(path, "r") as file:
            check_keys(file, path)
            return {key: _read_dataset(file[key], key, path) for key in KEYS}
    except InputError:
        raise
    except Exception as error:
        fault = "truncated" if "truncated" in str(error) else "damaged"
        raise InputError(
            f"{path}: {fault} HDF5 file; copy or download it again ({error})."
        ) from error


def _read_dataset(item: h5py.Dataset | h5py.Group, key: str, path: Path) -> np.ndarray:
    if not isinstance(item, h5py.Dataset):
        raise InputError(f"{path}: '{key}' is a group; expected a dataset.")
    return item[()]
