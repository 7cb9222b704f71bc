"""Is one model better than another on the same digits?"""

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

_RESAMPLES = 10_000


class Comparison(TypedDict):
    """Two models on the same test digits."""

    accuracy_difference: float  # of the first over the second
    accuracy_difference_ci95: tuple[float, float]
    only_first_right: int
    only_second_right: int
    mcnemar_p: float


def compare(first_right: NDArray[np.bool_], second_right: NDArray[np.bool_]) -> Comparison:
    """The difference with its interval, and McNemar's exact test.

    Only the digits that one model gets right and the other wrong tell the models apart; if the
    models are equally good, each is as likely to be the one that is right. The test is two-sided
    (McNemar 1947, doi:10.1007/BF02295996).

    Args:
        first_right: ``(n,)`` whether the first model is right.
        second_right: ``(n,)`` whether the second model is right, for the same digits.
    """
    only_first = int(np.sum(first_right & ~second_right))
    only_second = int(np.sum(second_right & ~first_right))
    apart = only_first + only_second
    digits = len(first_right)
    return Comparison(
        accuracy_difference=float(np.mean(first_right) - np.mean(second_right)),
        accuracy_difference_ci95=bootstrap_difference(only_first, only_second, digits),
        only_first_right=only_first,
        only_second_right=only_second,
        mcnemar_p=float(binomtest(only_first, apart).pvalue) if apart else 1.0,
    )


def bootstrap_difference(only_first: int, only_second: int, digits: int) -> tuple[float, float]:
    """95 % interval of the difference in accuracy, by the paired bootstrap.

    The digits are drawn anew with replacement, each with both models' answers, 10,000 times; the
    interval lies between the 2.5th and the 97.5th percentile (Efron 1979,
    doi:10.1214/aos/1176344552). How often a digit of each kind is drawn is multinomial, so only
    the kinds are drawn.

    Args:
        only_first: digits that only the first model gets right.
        only_second: digits that only the second gets right.
        digits: all, n ≥ 1.
    """
    kinds = np.array([only_first, only_second, digits - only_first - only_second])
    drawn = np.random.default_rng(0).multinomial(digits, kinds / digits, size=_RESAMPLES)
    low, high = np.percentile((drawn[:, 0] - drawn[:, 1]) / digits, [2.5, 97.5])
    return float(low), float(high)
