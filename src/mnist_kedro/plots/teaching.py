"""Plot what a network learned from corrections."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from mnist_kedro.corrections import NO_DIGIT
from mnist_kedro.plots.digits import digit_grid
from mnist_kedro.plots.style import BLUE, INK, RED, annotate, styled

_SHOWN = 60


@styled
def plot_taught_digits(
    held_out_corrections: Mapping[str, Any], corrections_snapshot: Mapping[str, Any]
) -> Figure:
    """Plot corrections with their predictions before and after teaching, in cross-validation.

    Args:
        held_out_corrections: the predictions before and after.
        corrections_snapshot: ``images`` ``(n, 28, 28, 1)`` uint8, in the same order.
    """
    digits = held_out_corrections["digits"]
    # Changed predictions come first.
    order = sorted(range(len(digits)), key=lambda i: digits[i]["before"] == digits[i]["after"])
    shown = order[:_SHOWN]
    figure = digit_grid(
        corrections_snapshot["images"][shown],
        [_caption(digits[i]) for i in shown],
        colors=[_color(digits[i]) for i in shown],
    )
    counts = held_out_corrections
    which = "" if len(shown) == len(digits) else f", {len(shown)} of them shown"
    annotate(
        figure,
        f"After fine-tuning, {counts['right_after']} of {counts['count']} corrections are "
        f"classified correctly (before: {counts['right_before']})",
        "Cross-validation. Captions: prediction before → after fine-tuning. Blue: now correct, "
        "red: wrong.",
        f"Corrections {counts['corrections']}{which}",
    )
    return figure


def _caption(digit: Mapping[str, Any]) -> str:
    before, after = (_name(digit[key]) for key in ("before", "after"))
    return after if before == after else f"{before}→{after}"


def _name(label: int) -> str:
    return "none" if label == NO_DIGIT else str(label)


def _color(digit: Mapping[str, Any]) -> str:
    if digit["after"] != digit["label"]:
        return RED
    return INK if digit["before"] == digit["label"] else BLUE
