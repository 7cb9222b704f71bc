"""Read MNIST from a NumPy ``.npz`` file, such as Keras's ``mnist.npz``."""

import zipfile
from pathlib import Path

import numpy as np

from mnist_kedro.errors import InputError
from mnist_kedro.sources.canonical import Arrays
from mnist_kedro.sources.layout import KEYS, check_keys


def read_npz(path: Path) -> Arrays:
    """Read the arrays ``x_train y_train x_test y_test`` of an ``.npz`` file, never unpickling.

    Raises:
        InputError: when the file is no ``.npz``, is damaged, or lacks one of the keys.
    """
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path}: no .npz file, or a truncated one; copy or download it again.")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            check_keys(arrays, path)
            return {key: arrays[key] for key in KEYS}
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"{path}: damaged .npz file; copy or download it again ({error})."
        ) from error
