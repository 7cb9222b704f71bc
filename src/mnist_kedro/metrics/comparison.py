"""Compare the accuracies of two models on the same digits."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

_RESAMPLES = 10_000
_TWO_SIDED = (2.5, 97.5)  # percentiles of a two-sided 95% interval


class Comparison(TypedDict):
    """The comparison of two models on the same test digits."""

    accuracy_difference: float  # accuracy of the first minus that of the second
    accuracy_difference_ci95: tuple[float, ...]  # lower and upper limit
    only_first_right: int
    only_second_right: int
    mcnemar_p: float


def compare(first_right: NDArray[np.bool_], second_right: NDArray[np.bool_]) -> Comparison:
    """Compute the difference in accuracy with its 95% interval, and McNemar's exact test.

    Only digits that exactly one model classifies correctly distinguish the models. If the models
    are equally good, each of them is correct on half of these digits. The test is two-sided
    (McNemar 1947, doi:10.1007/BF02295996).

    Args:
        first_right: ``(n,)``, whether the first model classifies a digit correctly.
        second_right: ``(n,)``, whether the second model classifies the same digit correctly.
    """
    only_first = int(np.sum(first_right & ~second_right))
    only_second = int(np.sum(second_right & ~first_right))
    discordant = only_first + only_second
    digits = len(first_right)
    return Comparison(
        accuracy_difference=float(np.mean(first_right) - np.mean(second_right)),
        accuracy_difference_ci95=bootstrap_difference(only_first, only_second, digits, _TWO_SIDED),
        only_first_right=only_first,
        only_second_right=only_second,
        mcnemar_p=float(binomtest(only_first, discordant).pvalue) if discordant else 1.0,
    )


def bootstrap_difference(
    only_first: int, only_second: int, digits: int, percentiles: Sequence[float]
) -> tuple[float, ...]:
    """Compute percentiles of the difference in accuracy with the paired bootstrap.

    The digits are resampled with replacement 10,000 times, each with both models' predictions
    (Efron 1979, doi:10.1214/aos/1176344552). The counts of the outcomes in a resample follow a
    multinomial distribution, so only the counts are drawn.

    Args:
        only_first: number of digits that only the first model classifies correctly.
        only_second: number of digits that only the second model classifies correctly.
        digits: number of digits, at least 1.
        percentiles: the percentiles to compute, in 0–100.
    """
    counts = np.array([only_first, only_second, digits - only_first - only_second])
    resampled = np.random.default_rng(0).multinomial(digits, counts / digits, size=_RESAMPLES)
    differences = (resampled[:, 0] - resampled[:, 1]) / digits
    return tuple(np.percentile(differences, percentiles).tolist())
