"""Summarize the predictions of pictures."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from mnist_kedro.metrics.classification import classify_errors
from mnist_kedro.pictures.batches import READ
from mnist_kedro.pipelines.inference.nodes import ShownPictures

logger = logging.getLogger(__name__)

_NON_DIGIT = "does not look like a digit"
_LISTED_FILES = 3  # largest number of logged files per reason


def summarize_predictions(
    digit_predictions: Iterable[pd.DataFrame],
    shown_pictures: ShownPictures,
    model_description: Mapping[str, Any],
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Count pictures, rejections and digits, and compute the accuracy on labeled pictures.

    Args:
        digit_predictions: the tables of :func:`read_pictures`.
        shown_pictures: the pictures whose predictions are returned.
        model_description: description of the model that predicted.

    Returns:
        The summary, and the predictions of the shown pictures.
    """
    shown: list[pd.DataFrame] = []
    rejected = _RejectedPictures()
    digits: Counter[int] = Counter()
    labels: list[np.ndarray] = []
    predicted: list[np.ndarray] = []
    total = several = 0
    last_file = ""
    for table in digit_predictions:
        rows = shown_pictures["rows"]
        is_new = table["file"] != table["file"].shift(fill_value=last_file)
        picture = total - 1 + is_new.cumsum()
        shown.append(table[picture.isin(rows)])
        total += int(is_new.sum())
        last_file = table["file"].iloc[-1] if len(table) else last_file
        several += int((is_new & table["several"]).sum())
        read = table["status"] == READ
        rejected.add(table.loc[~read])
        flagged = table.loc[(~table["is_digit"]).fillna(False).to_numpy(bool)]
        rejected.add(flagged.assign(status=_NON_DIGIT))
        digits.update(table.loc[read, "digit"].to_numpy(int).tolist())
        if "label" in table:
            known = table[read & table["label"].notna()]
            labels.append(known["label"].to_numpy(np.uint8))
            predicted.append(known["digit"].to_numpy(np.uint8))
    summary: dict[str, Any] = {
        "model": dict(model_description),
        "pictures": total,
        "several_digits": several,
        "read": digits.total(),
        "non_digits": rejected.counts[_NON_DIGIT],
        "not_read": {
            reason: rejected.counts[reason] for reason in rejected.counts if reason != _NON_DIGIT
        },
        "digits": {str(digit): digits[digit] for digit in sorted(digits)},
    }
    if labels:
        summary |= _evaluate(np.concatenate(labels), np.concatenate(predicted))
    rejected.log()
    return summary, pd.concat(shown, ignore_index=True)


class _RejectedPictures:
    """Count the rejected pictures by reason, and store a few file names per reason."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._files: dict[str, list[str]] = {}

    def add(self, table: pd.DataFrame) -> None:
        """Add rejected rows of predictions; their status is the reason."""
        self.counts.update(table["status"])
        for reason, files in table.groupby("status")["file"]:
            listed = self._files.setdefault(str(reason), [])
            listed.extend(files[: _LISTED_FILES - len(listed)])

    def log(self) -> None:
        """Log the number of rejected pictures and a few file names, by reason."""
        for reason, files in self._files.items():
            count = self.counts[reason]
            more = "" if count <= len(files) else ", …"
            logger.info("%d × %s: %s%s", count, reason, ", ".join(files), more)


def _evaluate(labels: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    if not len(labels):
        return {"labeled": 0}
    metrics = classify_errors(labels, predicted)
    low, high = metrics["accuracy_ci95"]
    logger.info(
        "Accuracy on %d labeled pictures: %.2f%% (95%% interval %.2f–%.2f%%).",
        len(labels),
        100 * metrics["accuracy"],
        100 * low,
        100 * high,
    )
    return {"labeled": len(labels), **metrics}
