"""Pictures that are no digits, and how well a model's confidence tells them from digits."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from mnist_kedro.contracts import Pixels

_WHITE = 255


def out_of_distribution(images: Pixels, seed: int = 0) -> dict[str, Pixels]:
    """As many pictures of each kind as there are digits.

    Args:
        images: ``(n, 28, 28, 1)`` uint8 in 0–255, digits.
        seed: of the noise and of the order that pixels are shuffled into.

    Returns:
        Of the same form: ``noise`` (uniform), ``scrambled`` (each digit's pixels in an order of
        its own, so with as much ink), ``inverted`` (white on black became black on white) and
        ``blank``, of which one is as good as many: a single picture.
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
    """How often a digit gets a higher confidence than a picture that is none; ties count half.

    The area under the ROC curve, which is the Mann–Whitney statistic over all pairs (Hanley and
    McNeil 1982, doi:10.1148/radiology.143.1.7063747).

    Args:
        digits: ``(n,)`` confidences, n ≥ 1.
        others: ``(m,)`` confidences, m ≥ 1.
    """
    ranks = rankdata(np.concatenate((digits, others)))[: len(digits)]
    above = ranks.sum() - len(digits) * (len(digits) + 1) / 2
    return float(above / (len(digits) * len(others)))
