"""Read MNIST from a NumPy ``.npz`` file, such as Keras's ``mnist.npz``."""

import zipfile
from pathlib import Path

import numpy as np

from mnist_kedro.errors import InputError
from mnist_kedro.sources.canonical import Arrays
from mnist_kedro.sources.hdf5 import KEYS


def read_npz(path: Path) -> Arrays:
    """Read the arrays ``x_train y_train x_test y_test`` of an ``.npz`` file, never unpickling.

    Raises:
        InputError: when the file is no ``.npz``, is damaged, or lacks one of the keys.
    """
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path}: not an .npz file, or a truncated one.")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            missing = [key for key in KEYS if key not in arrays]
            if missing:
                raise InputError(
                    f"{path}: key '{missing[0]}' is missing; expected {', '.join(KEYS)}, "
                    f"found {', '.join(sorted(arrays)) or 'none'}."
                )
            return {key: arrays[key] for key in KEYS}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: damaged .npz file ({error}).") from error
