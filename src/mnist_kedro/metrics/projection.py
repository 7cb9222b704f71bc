"""Many features in two dimensions, and how much of the classes is seen there."""

import numpy as np
from numpy.typing import NDArray


def principal_components(
    features: NDArray[np.floating], count: int = 2
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Project onto the directions in which the rows vary most (Pearson 1901).

    Args:
        features: ``(n, f)``, n ≥ 2.
        count: of the components, at most f.

    Returns:
        The projections ``(n, count)``, and the share of all variance that each component has,
        ``(count,)``. A component's sign is such that its largest weight is positive.
    """
    centred = np.asarray(features, np.float64) - np.mean(features, axis=0, dtype=np.float64)
    values, vectors = np.linalg.eigh(centred.T @ centred)
    values, vectors = values[::-1][:count], vectors[:, ::-1][:, :count]
    largest = np.abs(vectors).argmax(axis=0)
    vectors = vectors * np.sign(vectors[largest, np.arange(vectors.shape[1])])
    total = max(np.sum(centred**2), np.finfo(np.float64).tiny)
    return centred @ vectors, values / total


def nearest_centroid_accuracy(points: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """The share of points, in 0–1, that are nearest to the mean point of their own class.

    Args:
        points: ``(n, d)``, n ≥ 1.
        labels: ``(n,)``.
    """
    classes = np.unique(labels)
    centres = np.array([points[labels == label].mean(axis=0) for label in classes])
    distances = ((points[:, None] - centres) ** 2).sum(axis=2)
    return float((classes[distances.argmin(axis=1)] == labels).mean())
