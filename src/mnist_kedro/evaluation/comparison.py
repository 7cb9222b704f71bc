"""Is one model better than another on the same digits?"""

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest


class Comparison(TypedDict):
    """Two models on the same test digits."""

    accuracy_difference: float  # of the first over the second
    only_first_right: int
    only_second_right: int
    mcnemar_p: float


def compare(first_right: NDArray[np.bool_], second_right: NDArray[np.bool_]) -> Comparison:
    """McNemar's exact test, two-sided (McNemar 1947, doi:10.1007/BF02295996).

    Only the digits that one model gets right and the other wrong tell the models apart; if the
    models are equally good, each is as likely to be the one that is right.

    Args:
        first_right: ``(n,)`` whether the first model is right.
        second_right: ``(n,)`` whether the second model is right, for the same digits.
    """
    only_first = int(np.sum(first_right & ~second_right))
    only_second = int(np.sum(second_right & ~first_right))
    apart = only_first + only_second
    return Comparison(
        accuracy_difference=float(np.mean(first_right) - np.mean(second_right)),
        only_first_right=only_first,
        only_second_right=only_second,
        mcnemar_p=float(binomtest(only_first, apart).pvalue) if apart else 1.0,
    )
