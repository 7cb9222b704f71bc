"""Nodes of the ``inference`` pipeline."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from tqdm import tqdm

from mnist_kedro.contracts import CLASSES, Pixels
from mnist_kedro.errors import InputError
from mnist_kedro.evaluation.classification import classify_errors
from mnist_kedro.evaluation.prediction import PROBABILITIES, probabilities_of, spread
from mnist_kedro.parameters import InferenceParameters
from mnist_kedro.pictures.batches import READ, Batch, open_pictures
from mnist_kedro.plots.digits import plot_contact_sheet

logger = logging.getLogger(__name__)

_DIGITS = {str(digit): digit for digit in range(CLASSES)}


def read_pictures(model: Any, inference: InferenceParameters) -> tuple[pd.DataFrame, Pixels]:
    """What is written on each picture.

    Args:
        model: a Keras model, ``(n, 28, 28, 1)`` uint8 → ``(n, 10)`` probabilities.
        inference: which pictures, and where their labels are.

    Returns:
        A row for each file, in the order of their names: ``file``, ``digit`` (0–9),
        ``confidence``, ``p0`` … ``p9``, ``status`` (``ok``, or why there is no digit) and, if there
        are any, ``label``. And some pictures, from all of them, as the model sees them,
        ``(inference.shown, 28, 28, 1)`` at most.

    Raises:
        InputError: when there are no pictures, or a file of labels is not as it should be.
    """
    if inference.images is None:
        raise InputError(
            "parameter 'inference.images' is null; expected a folder of pictures: "
            "kedro run --pipelines inference --params inference.images=FOLDER"
        )
    folder = Path(inference.images).expanduser()
    pictures = open_pictures(folder)
    rows, done = spread(pictures.total, inference.shown), 0
    tables: list[pd.DataFrame] = []
    shown: list[Pixels] = []
    with tqdm(total=pictures.total, desc="Pictures", leave=False, disable=None) as progress:
        for batch in pictures.batches:
            here = rows[(rows >= done) & (rows < done + len(batch.files))] - done
            shown.append(batch.pixels[here])
            tables.append(_predict(model, batch))
            done += len(batch.files)
            progress.update(len(batch.files))
    predictions = _labelled(pd.concat(tables, ignore_index=True), inference.labels)
    unread = int((predictions["status"] != READ).sum())
    logger.info("%d pictures, of which %d have no digit.", len(predictions), unread)
    return predictions, np.concatenate(shown)


def _predict(model: Any, batch: Batch) -> pd.DataFrame:
    probabilities = probabilities_of(model, batch.pixels)
    status = np.array(batch.status)
    table = pd.DataFrame(probabilities, columns=PROBABILITIES)
    table.insert(0, "file", batch.files)
    table.insert(1, "digit", pd.array(probabilities.argmax(axis=1), "Int8"))
    table.insert(2, "confidence", probabilities.max(axis=1))
    table.loc[status != READ, ["digit", "confidence", *PROBABILITIES]] = pd.NA
    return table.assign(status=status)


def _labelled(predictions: pd.DataFrame, labels: str | None) -> pd.DataFrame:
    """With the labels of a file, or else of the folders that are named by a digit."""
    if labels is None:
        folders = predictions["file"].str.extract(r"(?:^|/)([0-9])/[^/]*$")[0]
        found = folders.map(_DIGITS)
    else:
        found = predictions["file"].map(_read_labels(Path(labels).expanduser()))
    return predictions if found.isna().all() else predictions.assign(label=found.astype("Int8"))


def _read_labels(path: Path) -> dict[str, int]:
    try:
        table = pd.read_csv(path, dtype=str)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as CSV (inference.labels; {error}).") from error
    if missing := {"file", "label"} - set(table.columns):
        raise InputError(
            f"{path}: column {', '.join(sorted(missing))} is missing (inference.labels); expected "
            f"file and label, found {', '.join(table.columns)}."
        )
    wrong = table[~table["label"].isin(_DIGITS)]
    if len(wrong):
        raise InputError(
            f"{path}: label '{wrong['label'].iloc[0]}' of '{wrong['file'].iloc[0]}' should be a "
            "digit 0 to 9."
        )
    return dict(zip(table["file"], table["label"].map(_DIGITS), strict=True))


def summarise_predictions(digit_predictions: pd.DataFrame) -> dict[str, Any]:
    """How many pictures there were, why some have no digit, and how many labels are met."""
    read = digit_predictions["status"] == READ
    digits = digit_predictions.loc[read, "digit"].value_counts().sort_index()
    summary: dict[str, Any] = {
        "pictures": len(digit_predictions),
        "read": int(read.sum()),
        "not_read": digit_predictions.loc[~read, "status"].value_counts().to_dict(),
        "digits": {str(digit): int(count) for digit, count in digits.items()},
    }
    if "label" in digit_predictions:
        labelled = digit_predictions[read & digit_predictions["label"].notna()]
        summary["labelled"] = len(labelled)
        if len(labelled):
            labels, answers = labelled["label"].to_numpy(int), labelled["digit"].to_numpy(int)
            summary |= classify_errors(labels, answers)
            logger.info("%.2f%% of %d labels are met.", 100 * summary["accuracy"], len(labelled))
    return summary


def draw_contact_sheet(
    shown_pictures: Pixels, digit_predictions: pd.DataFrame, inference: InferenceParameters
) -> Figure:
    """Some pictures as the model sees them, with what it reads."""
    shown = digit_predictions.iloc[spread(len(digit_predictions), inference.shown)]
    return plot_contact_sheet(shown_pictures, shown, len(digit_predictions), str(inference.images))
