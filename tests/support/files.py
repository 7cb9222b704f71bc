"""Files of MNIST in each form that is read."""

import gzip
import io
import struct
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mnist_kedro.contracts import Mnist
from mnist_kedro.errors import InputError
from mnist_kedro.sources.files import open_source
from mnist_kedro.sources.idx import FILES
from mnist_kedro.sources.layout import KEYS


def idx_bytes(array: np.ndarray) -> bytes:
    """Encode a uint8 array as an IDX file."""
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


def png_bytes(image: np.ndarray) -> bytes:
    """Encode a gray-level picture as PNG."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def table_bytes(images: np.ndarray, labels: np.ndarray, sep: str = ",") -> bytes:
    """Encode digits as Kaggle's ``train.csv``: a header, and the label before the 784 pixels."""
    table = pd.DataFrame(images.reshape(len(images), -1)).add_prefix("pixel")
    table.insert(0, "label", labels)
    return table.to_csv(index=False, sep=sep).encode()


def parquet_bytes(images: np.ndarray, labels: np.ndarray) -> bytes:
    """Encode digits as Hugging Face's ``mnist``: a struct of a PNG and a path, and the label."""
    pictures = [{"bytes": png_bytes(image), "path": None} for image in images]
    return pd.DataFrame({"image": pictures, "label": labels}).to_parquet()


def write_mnist(path: Path, mnist: Mnist, **options: object) -> Path:
    """Write the four arrays: an HDF5 or npz file by its suffix, else a folder of IDX files.

    Args:
        path: what to write.
        mnist: the arrays.
        options: for ``h5py.File.create_dataset``.
    """
    arrays = {key: mnist[key] for key in KEYS}
    match path.suffix.lower():
        case ".hdf5" | ".h5":
            with h5py.File(path, "w") as file:
                for key, array in arrays.items():
                    file.create_dataset(key, data=array, **options)
        case ".npz":
            np.savez_compressed(path, **arrays)
        case _:
            path.mkdir(exist_ok=True)
            for key, name in FILES.items():
                (path / f"{name}.gz").write_bytes(gzip.compress(idx_bytes(arrays[key])))
    return path


def read_arrays(path: Path, max_digits: int = 10_000) -> dict[str, np.ndarray]:
    """Read all arrays of a source by name."""
    with open_source(path, max_digits) as contents:
        return {name: array.read(0, slice(None)) for name, array in contents.arrays.items()}


def refusal(path: Path, max_digits: int = 10_000) -> str:
    """Return the message with which a source is rejected: one line that names it."""
    with pytest.raises(InputError) as error:
        read_arrays(path, max_digits)
    message = str(error.value)
    assert str(path) in message
    assert "\n" not in message
    assert len(message) < 1000
    return message
