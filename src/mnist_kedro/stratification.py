"""Hold digits out of a set so that both parts have each class in the same share."""

import numpy as np
from numpy.typing import NDArray

from mnist_kedro.contracts import CLASSES, Labels
from mnist_kedro.errors import InputError


def stratified_choice(
    labels: Labels, fraction: float, seed: int, *, where: str, parameter: str
) -> NDArray[np.bool_]:
    """Choose which digits to hold out: ``round(n · fraction)`` of them, each class by its share.

    What rounding leaves over goes to the classes that it cut most (largest remainders).

    Args:
        labels: ``(n,)`` in 0–9.
        fraction: of the digits, in (0, 1).
        seed: of the random choice.
        where: what the labels are called in a message.
        parameter: what the fraction is called in a message.

    Returns:
        ``(n,)``, true for a digit that is held out.

    Raises:
        InputError: when a class would be absent from either part.
    """
    exact = np.bincount(labels, minlength=CLASSES) * fraction
    counts = np.floor(exact).astype(int)
    left_over = round(len(labels) * fraction) - counts.sum()
    counts[np.argsort(counts - exact, kind="stable")[:left_over]] += 1

    random = np.random.default_rng(seed)
    held_out = np.zeros(len(labels), dtype=bool)
    for digit, count in enumerate(counts):
        of_class = np.flatnonzero(labels == digit)
        if not 0 < count < len(of_class):
            raise InputError(
                f"{where} has {len(of_class)} digits of class {digit}, of which "
                f"{parameter}={fraction:g} holds out {count}; "
                "each class needs one that is held out and one that is not."
            )
        held_out[random.choice(of_class, count, replace=False)] = True
    return held_out
