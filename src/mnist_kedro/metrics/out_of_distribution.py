"""Generate out-of-distribution images, and measure how well confidence detects them."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from mnist_kedro.contracts import Pixels

_WHITE = 255


def out_of_distribution(images: Pixels, seed: int = 0) -> dict[str, Pixels]:
    """Generate images of each out-of-distribution kind.

    Args:
        images: ``(n, 28, 28, 1)`` uint8 in 0–255, digits.
        seed: seed of the noise and the shuffled pixels.

    Returns:
        ``n`` images of each kind, with the same shape, dtype and range: ``noise`` (uniform),
        ``scrambled`` (the pixels of each digit, shuffled), ``inverted`` (black digits on white)
        and ``blank`` (only one image, because blank images are equal).
    """
    rng = np.random.default_rng(seed)
    flat = images.reshape(len(images), -1)
    return {
        "noise": rng.integers(0, _WHITE, images.shape, np.uint8, endpoint=True),
        "scrambled": rng.permuted(flat, axis=1).reshape(images.shape),
        "inverted": _WHITE - images,
        "blank": np.zeros_like(images[:1]),
    }


def area_under_roc(digits: NDArray[np.floating], others: NDArray[np.floating]) -> float:
    """Compute the area under the ROC curve of detecting digits by their confidence.

    The area is the share of pairs in which a digit has a higher confidence than a non-digit image;
    ties count half. It is the Mann–Whitney statistic divided by the number of pairs (Hanley and
    McNeil 1982, doi:10.1148/radiology.143.1.7063747).

    Args:
        digits: ``(n,)`` confidences of digits, n ≥ 1.
        others: ``(m,)`` confidences of non-digit images, m ≥ 1.
    """
    return float(mannwhitneyu(digits, others).statistic / (len(digits) * len(others)))
