"""Project features to two dimensions, and measure how well this separates the classes."""

import numpy as np
from numpy.typing import NDArray


def principal_components(features: NDArray[np.floating], count: int = 2) -> NDArray[np.float64]:
    """Project features onto their first principal components (Pearson 1901).

    Args:
        features: ``(n, f)``, n ≥ 2.
        count: number of components, at most f.

    Returns:
        The projections ``(n, count)``. The largest weight of each component is positive, so that
        the signs are reproducible.
    """
    centered = np.asarray(features, np.float64) - np.mean(features, axis=0, dtype=np.float64)
    vectors = np.linalg.eigh(centered.T @ centered).eigenvectors[:, ::-1][:, :count]
    largest = np.abs(vectors).argmax(axis=0)
    vectors = vectors * np.sign(vectors[largest, np.arange(vectors.shape[1])])
    projections: NDArray[np.float64] = centered @ vectors
    return projections


def nearest_centroid_accuracy(points: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Return the share of points, in 0–1, whose nearest class centroid belongs to their class.

    Args:
        points: ``(n, d)``, n ≥ 1.
        labels: ``(n,)``.
    """
    classes = np.unique(labels)
    centroids = np.array([points[labels == label].mean(axis=0) for label in classes])
    distances = ((points[:, None] - centroids) ** 2).sum(axis=2)
    return float((classes[distances.argmin(axis=1)] == labels).mean())
