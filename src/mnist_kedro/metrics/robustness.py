"""Summarize the accuracy of models on original, corrupted and photographed digits."""

from typing import TypedDict

import pandas as pd

from mnist_kedro.errors import InputError
from mnist_kedro.metrics.classification import wilson_interval

# Families of digits, in the column ``family`` of the table ``corruption_accuracies``.
NONE = "none"  # original digits
RELATED = "related"  # corruptions that are similar to an augmentation of the training
UNSEEN = "unseen"  # other corruptions
PHOTOGRAPHED = "photographed"  # simulated photos

MIDDLE_SEVERITY = 3  # severity of the corruptions in reports and titles


class Robustness(TypedDict):
    """The accuracy of a model on several kinds of digits, in 0–1; None without such digits."""

    digits: int  # number of digits under each corruption
    related: float | None  # mean accuracy over these corruptions, at the middle severity
    unseen: float | None
    hardest: str  # corruption with the lowest accuracy, at the middle severity
    hardest_accuracy: float
    photographed: float
    photographed_digits: int
    photographed_ci95: tuple[float, float]


def summarize_robustness(accuracies: pd.DataFrame) -> dict[str, Robustness]:
    """Summarize the table ``corruption_accuracies`` for each model.

    Raises:
        InputError: if an earlier version of the project created the table.
    """
    if "family" not in accuracies:
        raise InputError(
            "corruption_accuracies: the column 'family' is missing, because an earlier version of "
            "this project created the table; run "
            "'kedro run --pipelines robustness,report'."
        )
    return {
        str(model): _summarize(table) for model, table in accuracies.groupby("model", sort=False)
    }


def _summarize(table: pd.DataFrame) -> Robustness:
    middle = table[table["severity"] == MIDDLE_SEVERITY]
    hardest = middle.sort_values("accuracy").iloc[0]
    means = middle.groupby("family")["accuracy"].mean()
    (photographed,) = table[table["family"] == PHOTOGRAPHED].to_dict("records")
    digits, errors = photographed["digits"], photographed["errors"]
    return Robustness(
        digits=hardest["digits"],
        related=means.get(RELATED),
        unseen=means.get(UNSEEN),
        hardest=hardest["corruption"].replace("_", " "),
        hardest_accuracy=hardest["accuracy"],
        photographed=photographed["accuracy"],
        photographed_digits=digits,
        photographed_ci95=wilson_interval(digits - errors, digits),
    )
