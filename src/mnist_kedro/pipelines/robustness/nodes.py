"""Nodes of the ``robustness`` pipeline."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from mnist_kedro.contracts import LabeledImages, Pixels
from mnist_kedro.lineage import with_lineage
from mnist_kedro.machine import usable_cores
from mnist_kedro.metrics.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from mnist_kedro.metrics.out_of_distribution import out_of_distribution
from mnist_kedro.metrics.picture_calibration import choose_digit_threshold
from mnist_kedro.metrics.prediction import probabilities_of, rows_of_all
from mnist_kedro.parameters import ReportingParameters
from mnist_kedro.pictures.detector import score_digits
from mnist_kedro.pipelines.picture_calibration.nodes import score_validation_digits

NONE, DIGITS = "none", "digits"  # uncorrupted; in distribution


@with_lineage
def evaluate_corruptions(
    test: LabeledImages, reporting: ReportingParameters, **models: Any
) -> pd.DataFrame:
    """Count the test digits that each model misclassifies under each corruption.

    Args:
        test: the test split.
        reporting: ``robustness_digits``, the number of digits to corrupt.
        models: Keras models by their names.

    Returns:
        A row for each model, corruption and severity: ``model``, ``corruption``, ``severity``
        (1–5; ``none`` has 0), ``digits``, ``errors`` and ``accuracy``.
    """
    images, labels = _some(test, reporting.robustness_digits)
    rows = []
    progress = tqdm(
        _corrupted(images),
        "Corruptions",
        1 + len(CORRUPTIONS),
        leave=False,
        disable=None,  # only on a terminal
    )
    for corruption, pictures in progress:
        for name, model in models.items():
            predicted = probabilities_of(model, pictures.reshape(-1, *images.shape[1:])).argmax(
                axis=1
            )
            errors = (predicted.reshape(len(pictures), -1) != labels).sum(axis=1)
            severities = SEVERITIES if len(pictures) > 1 else (0,)
            rows += [
                (name, corruption, severity, len(labels), int(count), 1 - count / len(labels))
                for severity, count in zip(severities, errors, strict=True)
            ]
    columns = ["model", "corruption", "severity", "digits", "errors", "accuracy"]
    return pd.DataFrame(rows, columns=columns)


def _corrupted(images: Pixels) -> Iterator[tuple[str, Pixels]]:
    """Yield each corruption, first none, with its images ``(severities, n, 28, 28, 1)``."""
    yield NONE, images[None]
    with ThreadPoolExecutor(usable_cores()) as pool:  # NumPy and SciPy release the lock
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
        reporting: ``robustness_digits``, the number of images of each kind.
        models: Keras models by their names.

    Returns:
        A row for each model and image: ``model``, ``kind`` (``digits`` are the test digits),
        ``confidence`` and ``is_digit`` (whether the digit detector takes it for a digit).
    """
    images, _ = _some(test, reporting.robustness_digits)
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


def _some(test: LabeledImages, count: int) -> tuple[Pixels, np.ndarray]:
    rows = rows_of_all(test, count)
    return test["images"][rows], np.asarray(test["labels"])[rows]
