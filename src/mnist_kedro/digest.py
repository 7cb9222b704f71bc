"""Compute SHA-256 digests, which identify the content of arrays."""

import hashlib
from typing import Any

import numpy as np

from mnist_kedro.arrays import ArrayLike, blocks


def sha256(array: ArrayLike) -> str:
    """Return the SHA-256 of an array's bytes in C order, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for _, block in blocks(array) if array.ndim else [(0, np.asarray(array))]:
        digest.update(bytes_of(block))
    return digest.hexdigest()


def bytes_of(array: np.ndarray) -> Any:
    """Return an array's bytes in C order."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
