"""Compare images with real digits, to recognize their orientation and check their labels."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from mnist_kedro.contracts import CLASSES, IMAGE_SIDE, Labels, Pixels
from mnist_kedro.sources.sample import SAMPLE

_COMPONENTS = 50  # number of principal components, chosen on training digits of MNIST
_CLEAR = 30.0  # twice the difference of the log-likelihoods of the two most likely classes
_LEAST_INK = 64  # least value of the strongest pixel of a digit
_SHRINKAGE = 0.05  # share of the mean variance that is added to each class's variances

# Orientations of stored images, with functions that turn ``(n, 28, 28)`` images upright.
ORIENTATIONS: Mapping[str, Callable[[Pixels], Pixels]] = {
    "as_is": lambda images: images,
    "transposed": lambda images: images.transpose(0, 2, 1),
    "flipped_horizontally": lambda images: images[:, :, ::-1],
    "flipped_vertically": lambda images: images[:, ::-1],
    "rotated_90": lambda images: images[:, ::-1].transpose(0, 2, 1),  # counterclockwise
    "rotated_180": lambda images: images[:, ::-1, ::-1],
    "rotated_270": lambda images: images.transpose(0, 2, 1)[:, ::-1],
    "transposed_180": lambda images: images[:, ::-1, ::-1].transpose(0, 2, 1),
}


class Classified(NamedTuple):
    """The classes of images, whether these are clear, and whether the images resemble digits."""

    labels: Labels  # (n,) in 0–9
    clear: NDArray[np.bool_]  # (n,)
    digits: NDArray[np.bool_]  # (n,), closer to a class than the farthest 1% of the sample


def classify(images: Pixels) -> Classified:
    """Classify digits by quadratic discriminant analysis, fitted to the embedded sample.

    The accuracy is 96% on MNIST's test digits (99% on the 83% whose class is clear), and 82% on
    photographed digits of other writers (95% on clear ones). 2,000 digits take 0.1 s.

    Args:
        images: ``(n, 28, 28)`` uint8; 0 is background, 255 full ink.
    """
    scores = _score(images)
    second, first = np.sort(scores, axis=1)[:, -2:].T
    has_ink = images.reshape(len(images), -1).max(axis=1) >= _LEAST_INK
    return Classified(
        scores.argmax(axis=1).astype(np.uint8),
        first - second >= _CLEAR,
        (first >= _least_score()) & has_ink,
    )


def _score(images: Pixels) -> NDArray[np.float32]:
    """Return twice the log-likelihood of each class, ``(n, 10)``, up to a constant."""
    mean, components, classes = _fit()
    projected = (_reduce(images) - mean) @ components
    scores = np.empty((len(images), CLASSES), np.float32)
    for digit, (center, precision, log_det) in enumerate(classes):
        distances = projected - center
        scores[:, digit] = -((distances @ precision) * distances).sum(axis=1) - log_det
    return scores


@cache
def _least_score() -> float:
    """Return the score that 99% of the sample's digits exceed."""
    images, _ = _read_sample()
    return float(np.percentile(_score(images).max(axis=1), 1))


def _reduce(images: Pixels) -> NDArray[np.float32]:
    """Return means of 2 × 2 pixels, ``(n, 196)`` in 0–1, which are as accurate here, and faster."""
    half = IMAGE_SIDE // 2
    return images.reshape(-1, half, 2, half, 2).mean(axis=(2, 4), dtype=np.float32).reshape(
        -1, half**2
    ) / np.float32(255)


@cache
def _fit() -> tuple[np.ndarray, np.ndarray, list[tuple[np.ndarray, np.ndarray, float]]]:
    """Return the mean and the principal components of the sample, and a Gaussian per class."""
    images, labels = _read_sample()
    pixels = _reduce(images)
    mean = pixels.mean(axis=0)
    # The eigenvalues are in ascending order.
    components = np.linalg.eigh(np.cov((pixels - mean).T))[1][:, -_COMPONENTS:].astype(np.float32)
    projected = (pixels - mean) @ components
    classes = []
    for digit in range(CLASSES):
        own = projected[labels == digit]
        covariance = np.cov(own.T)
        covariance += _SHRINKAGE * np.trace(covariance) / _COMPONENTS * np.eye(_COMPONENTS)
        precision = np.linalg.inv(covariance).astype(np.float32)
        classes.append((own.mean(axis=0), precision, float(np.linalg.slogdet(covariance)[1])))
    return mean, components, classes


def _read_sample() -> tuple[Pixels, Labels]:
    with h5py.File(SAMPLE) as file:
        images, labels = (
            np.concatenate([file[f"{role}_{split}"][()] for split in ("train", "test")])
            for role in "xy"
        )
    return images, labels
