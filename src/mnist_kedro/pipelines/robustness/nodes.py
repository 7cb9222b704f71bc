"""Nodes of the ``robustness`` pipeline."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from mnist_kedro.contracts import LabeledImages, ManyPixels, Pixels
from mnist_kedro.lineage import record_of, with_lineage
from mnist_kedro.machine import usable_cores
from mnist_kedro.metrics.corruptions import CORRUPTIONS, SEVERITIES, corrupt, is_related
from mnist_kedro.metrics.out_of_distribution import out_of_distribution
from mnist_kedro.metrics.picture_calibration import choose_digit_threshold
from mnist_kedro.metrics.prediction import probabilities_of, rows_of_all
from mnist_kedro.metrics.robustness import NONE, PHOTOGRAPHED, RELATED, UNSEEN
from mnist_kedro.parameters import ReportingParameters
from mnist_kedro.pictures.detector import score_digits
from mnist_kedro.pipelines.picture_calibration.nodes import score_validation_digits

DIGITS = "digits"  # kind of the in-distribution images


@with_lineage
def evaluate_corruptions(
    test: LabeledImages,
    photographed_test: LabeledImages,
    reporting: ReportingParameters,
    **models: Any,
) -> pd.DataFrame:
    """Count each model's errors on original, corrupted and photographed test digits.

    Args:
        test: the test split.
        photographed_test: simulated photos of some test digits.
        reporting: contains ``robustness_digits``, the number of digits to corrupt.
        models: Keras models, by name.

    Returns:
        A row for each model, corruption and severity: ``model``, ``corruption``, ``family``,
        ``severity``, ``digits``, ``errors`` and ``accuracy``. The family is ``related`` if the
        model was trained with a similar augmentation, otherwise ``unseen``. For original and
        photographed digits, corruption and family are ``none`` and ``photographed``, and the
        severity is 0.
    """
    images, labels = _select_digits(test, reporting.robustness_digits)
    rows = []
    progress = tqdm(
        _corrupted(images),
        "Corruptions",
        1 + len(CORRUPTIONS),
        leave=False,
        disable=None,  # show the bar only on a terminal
    )
    for corruption, pictures in progress:
        severities = SEVERITIES if len(pictures) > 1 else (0,)
        for name, model in models.items():
            family = NONE if corruption == NONE else _family(corruption, model)
            pixels = pictures.reshape(-1, *images.shape[1:])
            for severity, errors in zip(
                severities, _count_errors(model, pixels, labels), strict=True
            ):
                rows.append((name, corruption, family, severity, len(labels), errors))
    photographed = np.asarray(photographed_test["labels"])
    for name, model in models.items():
        (errors,) = _count_errors(model, photographed_test["images"], photographed)
        rows.append((name, PHOTOGRAPHED, PHOTOGRAPHED, 0, len(photographed), errors))
    columns = ["model", "corruption", "family", "severity", "digits", "errors"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(accuracy=1 - table["errors"] / table["digits"])


def _family(corruption: str, model: Any) -> str:
    record = record_of(model)
    trained = record["parameters"]["training"]["augmentation"] if record else {}
    return RELATED if is_related(corruption, trained) else UNSEEN


def _count_errors(model: Any, images: ManyPixels, labels: np.ndarray) -> list[int]:
    """Count the errors in each of several variants of the same digits."""
    predicted = probabilities_of(model, images).argmax(axis=1)
    return (predicted.reshape(-1, len(labels)) != labels).sum(axis=1).tolist()


def _corrupted(images: Pixels) -> Iterator[tuple[str, Pixels]]:
    """Yield ``none`` and each corruption, with its images ``(severities, n, 28, 28, 1)``."""
    yield NONE, images[None]
    with ThreadPoolExecutor(usable_cores()) as pool:  # NumPy and SciPy release the GIL
        for name in CORRUPTIONS:
            yield name, np.stack(list(pool.map(partial(corrupt, images, name), SEVERITIES)))


@with_lineage
def measure_out_of_distribution(
    test: LabeledImages, validation: LabeledImages, reporting: ReportingParameters, **models: Any
) -> pd.DataFrame:
    """Measure the confidence of each model on digits and on out-of-distribution images.

    Args:
        test: the test split.
        validation: the split on which the threshold of the digit detector is chosen.
        reporting: contains ``robustness_digits``, the number of images of each kind.
        models: Keras models, by name.

    Returns:
        A row for each model and image: ``model``, ``kind`` (``digits`` are the test digits),
        ``confidence`` and ``is_digit`` (whether the digit detector accepts the image).
    """
    images, _ = _select_digits(test, reporting.robustness_digits)
    kinds = {DIGITS: images, **out_of_distribution(images)}
    threshold = choose_digit_threshold(score_validation_digits(validation))
    is_digit = {kind: score_digits(pictures) >= threshold for kind, pictures in kinds.items()}
    return pd.concat(
        pd.DataFrame(
            {
                "model": name,
                "kind": kind,
                "confidence": probabilities_of(model, pictures).max(axis=1),
                "is_digit": is_digit[kind],
            }
        )
        for name, model in models.items()
        for kind, pictures in kinds.items()
    )


def _select_digits(test: LabeledImages, count: int) -> tuple[Pixels, np.ndarray]:
    rows = rows_of_all(test, count)
    return test["images"][rows], np.asarray(test["labels"])[rows]
