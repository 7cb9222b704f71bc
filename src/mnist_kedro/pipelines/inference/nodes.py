"""Nodes of the ``inference`` pipeline."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain, groupby
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import pandas as pd
from tqdm import tqdm

from mnist_kedro.contracts import CLASSES, Pixels
from mnist_kedro.datasets.table_dataset import Tables
from mnist_kedro.errors import InputError
from mnist_kedro.lineage import join_lineages, lineage_of, record_of
from mnist_kedro.metrics.picture_calibration import PictureCalibration, calibrate
from mnist_kedro.metrics.prediction import PROBABILITIES, probabilities_of, spread
from mnist_kedro.parameters import InferenceParameters
from mnist_kedro.pictures.batches import BATCH, NOTHING, READ, Batch, Pictures
from mnist_kedro.pictures.detector import score_digits
from mnist_kedro.pictures.open import open_pictures
from mnist_kedro.plots.style import describe_source
from mnist_kedro.sources.files import resolve_path

logger = logging.getLogger(__name__)

_DIGITS = {str(digit): digit for digit in range(CLASSES)}


class ShownPictures(TypedDict):
    """A selection of the pictures, for a figure."""

    thumbnails: np.ndarray  # (n, 84, 84, 3) uint8: each picture, with the ink that was found
    pixels: Pixels  # (n, 28, 28, 1)
    rows: np.ndarray  # numbers of the pictures, from 0
    total: int  # number of all pictures


def describe_model(model: Any) -> dict[str, Any]:
    """Describe the model that classifies the pictures, and log the description.

    Returns:
        ``name`` and ``trained_on``; if the model has a training record, also ``version``,
        ``training_digits`` and ``validation_accuracy`` (0–1).
    """
    record = record_of(model)
    if record is None:
        logger.warning("The model '%s' has no training record.", model.name)
        return {"name": model.name, "trained_on": "unknown"}
    origin = describe_source(record["data"])
    logger.info(
        "Model %s, version %s: validation accuracy %.2f%%, trained on %s digits. %s.",
        record["model"],
        record["run"]["id"],
        100 * record["validation_accuracy"],
        f"{record['training_digits']:,}",
        origin,
    )
    return {
        "name": record["model"],
        "version": record["run"]["id"],
        "trained_on": origin,
        "training_digits": record["training_digits"],
        "validation_accuracy": record["validation_accuracy"],
    }


def read_pictures(
    model: Any,
    picture_calibration: PictureCalibration,
    inference: InferenceParameters,
    part: int = 0,
    parts: int = 1,
) -> Iterable[pd.DataFrame]:
    """Classify the digit on each picture.

    Args:
        model: a Keras model, ``(n, 28, 28, 1)`` uint8 → ``(n, 10)`` probabilities.
        picture_calibration: the model's calibration on pictures.
        inference: paths of the pictures and of their labels.
        part: which part of the pictures to classify, from 0.
        parts: number of parts.

    Returns:
        Tables with a row for each file (with ``inference.all_digits``, for each digit), in the
        order of the file names. Columns: ``file``, ``digit`` (0–9), ``confidence``, ``p0`` …
        ``p9``, ``candidates`` (such as ``4 9``: one of them is probably correct), ``is_digit``,
        ``digit_score`` (0–1), ``several`` (whether the picture shows other digits, too) and
        ``status`` (``ok``, or why no digit was found); with ``inference.all_digits`` also ``left``,
        ``top``, ``right`` and ``bottom`` in pixels; if any picture has a label, also ``label``.
        Pictures are read during the iteration, so memory never holds all pictures or all tables.

    Raises:
        InputError: if there are no pictures, if the file of labels is invalid, or if the
            calibration belongs to another model.
    """
    join_lineages(
        {"model": lineage_of(model), "picture_calibration": lineage_of(picture_calibration)}
    )
    record = record_of(model)
    pictures = _open_pictures(inference, record["data"]["sha256_y_train"] if record else None)
    labels = None if inference.labels is None else _read_labels(resolve_path(inference.labels))
    # Parts consist of whole batches, so the number of parts does not change any bit of the result.
    batches = -(-pictures.total // BATCH)
    first, last = (BATCH * (batches * (part + i) // parts) for i in (0, 1))
    rows = range(first, min(last, pictures.total))
    return Tables(
        partial(
            _classify_pictures,
            partial(_classify_batch, model, picture_calibration, boxes=inference.all_digits),
            pictures,
            rows,
            labels,
            boxes=inference.all_digits,
        )
    )


def _classify_pictures(
    classify: Callable[[Batch], pd.DataFrame],
    pictures: Pictures,
    rows: range,
    labels: Mapping[str, int] | None,
    *,
    boxes: bool,
) -> Iterator[pd.DataFrame]:
    has_labels = pictures.labeled or labels is not None
    rejected = 0
    with tqdm(total=len(rows), desc="Pictures", leave=False, disable=None) as progress:
        for batch in pictures.take(rows) if rows else [NOTHING]:
            table = classify(batch)
            if has_labels:
                known = batch.labels if labels is None else [*map(labels.get, batch.files)]
                if boxes:  # a picture has one label, so those with several digits get none
                    known = [
                        None if several else label
                        for label, several in zip(known, batch.several, strict=True)
                    ]
                table["label"] = pd.array(known, "Int8")
            rejected += int((table["status"] != READ).sum())
            progress.update(table["file"].nunique())
            yield table
    logger.info("Read %d pictures; %d have no digit.", len(rows), rejected)


def _classify_batch(
    model: Any, calibration: PictureCalibration, batch: Batch, *, boxes: bool
) -> pd.DataFrame:
    calibrated = calibrate(
        probabilities_of(model, batch.pixels),
        score_digits(batch.pixels),
        np.array(batch.in_mnist_form, bool),
        calibration,
    )
    status = np.array(batch.status)
    table = pd.DataFrame(calibrated.probabilities, columns=PROBABILITIES)
    table.insert(0, "file", batch.files)
    table.insert(1, "digit", pd.Series(calibrated.digits, dtype="Int8"))
    table.insert(2, "confidence", calibrated.probabilities.max(axis=1))
    table["candidates"] = [" ".join(map(str, listed)) for listed in calibrated.candidates]
    table["is_digit"] = pd.array(calibrated.is_digit, "boolean")
    table["digit_score"] = calibrated.digit_scores
    predicted = ["digit", "confidence", *PROBABILITIES, "candidates", "is_digit", "digit_score"]
    table.loc[status != READ, predicted] = pd.NA
    table["several"] = np.array(batch.several, bool)
    if boxes:
        places = [box or [None] * 4 for box in batch.boxes]
        found = pd.DataFrame(places, columns=["left", "top", "right", "bottom"], dtype="Int32")
        table = pd.concat([table, found], axis=1)
    return table.assign(status=status)


def join_predictions(*parts: Iterable[pd.DataFrame]) -> Iterable[pd.DataFrame]:
    """Join the tables of all parts, in the order of the parts."""
    return Tables(partial(chain, *parts))


def select_pictures(inference: InferenceParameters) -> ShownPictures:
    """Select at most ``inference.shown`` pictures, evenly spaced.

    Raises:
        InputError: if there are no pictures.
    """
    pictures = _open_pictures(inference)
    rows = spread(pictures.total, inference.shown)
    batches = [*pictures.take(rows.tolist())]
    files = [file for batch in batches for file in batch.files]
    digits = [len([*group]) for _, group in groupby(files)]  # per picture
    thumbnails = np.stack([pictures.show(int(row)) for row in rows])
    return ShownPictures(
        thumbnails=np.repeat(thumbnails, digits, axis=0),
        pixels=np.concatenate([batch.pixels for batch in batches]),
        rows=rows,
        total=pictures.total,
    )


def _open_pictures(inference: InferenceParameters, trained_on: str | None = None) -> Pictures:
    if inference.images is None:
        raise InputError(
            "parameter 'inference.images' is null, but should be a folder of pictures: "
            "kedro run --pipelines inference --params inference.images=FOLDER"
        )
    path = resolve_path(inference.images)
    return open_pictures(path, trained_on, all_digits=inference.all_digits)


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
