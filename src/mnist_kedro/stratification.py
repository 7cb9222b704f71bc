"""Split digits so that both parts contain each class in the same proportion."""

import numpy as np
from numpy.typing import NDArray

from mnist_kedro.contracts import CLASSES, Labels
from mnist_kedro.errors import InputError


def stratified_choice(
    labels: Labels, fraction: float, seed: int, *, where: str, parameter: str
) -> NDArray[np.bool_]:
    """Choose ``round(n · fraction)`` digits to hold out, stratified by class.

    The counts per class are rounded by the largest remainder method.

    Args:
        labels: ``(n,)`` in 0–9.
        fraction: fraction of the digits to hold out, in (0, 1).
        seed: seed of the random choice.
        where: name of the labels in error messages.
        parameter: name of the fraction in error messages.

    Returns:
        Booleans ``(n,)``, true for the digits to hold out.

    Raises:
        InputError: if a class would be in only one of the two parts.
    """
    exact = np.bincount(labels, minlength=CLASSES) * fraction
    counts = np.floor(exact).astype(int)
    remaining = round(len(labels) * fraction) - counts.sum()
    counts[np.argsort(counts - exact, kind="stable")[:remaining]] += 1

    random = np.random.default_rng(seed)
    held_out = np.zeros(len(labels), dtype=bool)
    for digit, count in enumerate(counts):
        rows = np.flatnonzero(labels == digit)
        if len(rows) and not 0 < count < len(rows):
            raise InputError(
                f"{where} has {len(rows)} digits of class {digit}, of which "
                f"{parameter}={fraction:g} holds out {count}; "
                "each class needs at least one digit in either part; add "
                f"digits, or change {parameter}."
            )
        held_out[random.choice(rows, count, replace=False)] = True
    return held_out
