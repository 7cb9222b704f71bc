"""Find nearly equal digits: copies with noise, changed contrast or compression."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mnist_kedro.arrays import blocks
from mnist_kedro.contracts import IMAGE_SIDE, Pixels
from mnist_kedro.metrics.prediction import spread

# Largest distance of near duplicates, after scaling the pixels of each digit to a norm of 1. The
# closest pair of MNIST's 70,000 digits has a distance of 0.126. Noise with a standard deviation of
# 8 gray levels moves a digit by about 0.08.
_CLOSE = 0.1
_COMPONENTS = 16  # with 8, six times as many pairs are compared; with 24, the search is slower
_FITTED = 5000  # digits for fitting the components; any orthogonal components give correct results
_NEIGHBORS = 4  # per digit, including the digit; limits the memory for large groups of equals


def find_near_duplicates(images: Pixels) -> NDArray[np.int64]:
    """Find pairs of digits that are nearly equal; shifted or rotated copies are not found.

    A k-d tree finds neighbors by their principal components at half the resolution. Only these
    neighbors are compared pixel by pixel: a projection never increases a distance, so it loses no
    close pair. In groups of more than four similar digits, some pairs are not listed. This
    takes two seconds for 70,000 digits.

    Args:
        images: ``(n, 28, 28)`` uint8 in 0–255, without duplicates.

    Returns:
        Pairs of rows ``(m, 2)``, the lower row first, the closest pair first.
    """
    norms = np.empty(len(images), np.float32)
    for start, block in blocks(images):
        norms[start : start + len(block)] = np.linalg.norm(block, axis=(1, 2))
    kept = np.flatnonzero(norms)
    if len(kept) <= _COMPONENTS:
        return np.empty((0, 2), np.int64)
    half = IMAGE_SIDE // 2
    coarse = np.empty((len(kept), half * half), np.float32)
    for start, rows in blocks(kept):
        pixels = images[rows].reshape(-1, half, 2, half, 2).sum(axis=(2, 4), dtype=np.float32)
        # Half the sum of four pixels is at most their norm, as in the Haar transform.
        coarse[start : start + len(rows)] = pixels.reshape(len(rows), -1) / (2 * norms[rows, None])
    _, vectors = np.linalg.eigh(np.cov(coarse[spread(len(coarse), _FITTED)], rowvar=False))
    points = coarse @ vectors[:, -_COMPONENTS:].astype(np.float32)
    distances, neighbors = cKDTree(points).query(
        points, k=_NEIGHBORS, distance_upper_bound=_CLOSE, workers=-1
    )
    row, column = np.nonzero(np.isfinite(distances))
    pairs = np.sort(np.stack([row, neighbors[row, column]], axis=1), axis=1)
    pairs = kept[np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0)]
    cosines = np.empty(len(pairs), np.float32)
    for start, block in blocks(pairs):
        a, b = (images[rows].reshape(len(block), -1).astype(np.float32) for rows in block.T)
        product = np.einsum("ij,ij->i", a, b)
        cosines[start : start + len(block)] = product / norms[block].prod(axis=1)
    order = np.argsort(-cosines, kind="stable")
    return pairs[order[2 - 2 * cosines[order] < _CLOSE**2]]
