"""Nodes that ask what becomes of the predictions on digits that are not as MNIST's."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from tqdm import tqdm

from mnist_kedro.contracts import LabelledImages, Pixels
from mnist_kedro.evaluation.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from mnist_kedro.evaluation.out_of_distribution import out_of_distribution
from mnist_kedro.evaluation.prediction import probabilities_of, rows_of_all
from mnist_kedro.machine import usable_cores
from mnist_kedro.parameters import ReportingParameters
from mnist_kedro.plots.robustness import plot_out_of_distribution, plot_robustness

NONE, DIGITS = "none", "digits"  # of the corruptions; of the kinds of pictures
SUITE = (NONE, *CORRUPTIONS)


def evaluate_corruptions(
    test: LabelledImages,
    reporting: ReportingParameters,
    corruptions: Sequence[str] = SUITE,
    **models: Any,
) -> pd.DataFrame:
    """How many test digits each model misreads under each corruption.

    Args:
        test: the test split.
        reporting: of how many of its digits.
        corruptions: some of the suite, in its order.
        models: Keras models by their names.

    Returns:
        A row for each model, corruption and severity: ``model``, ``corruption``, ``severity``
        (1–5; of ``none`` a row of 0), ``digits``, ``errors`` and ``accuracy``.
    """
    images, labels = _some(test, reporting.robustness_digits)
    rows = []
    progress = tqdm(
        _corrupted(images, corruptions),
        "Corruptions",
        len(corruptions),
        leave=False,
        disable=None,  # no bar unless a person watches
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


def _corrupted(images: Pixels, corruptions: Sequence[str]) -> Iterator[tuple[str, Pixels]]:
    """``(severities, n, 28, 28, 1)`` of each corruption."""
    with ThreadPoolExecutor(usable_cores()) as pool:  # NumPy and SciPy let go of the lock
        for name in corruptions:
            if name == NONE:
                yield NONE, images[None]
            else:
                yield name, np.stack(list(pool.map(partial(corrupt, images, name), SEVERITIES)))


def collect_corruptions(*parts: pd.DataFrame) -> pd.DataFrame:
    """The table of the whole suite, from those of its parts."""
    return pd.concat(parts).sort_values(
        "corruption",
        key=lambda names: names.map(SUITE.index),
        kind="stable",
        ignore_index=True,
    )


def measure_out_of_distribution(
    test: LabelledImages, reporting: ReportingParameters, **models: Any
) -> pd.DataFrame:
    """How sure each model is of pictures that are no digits; arguments as above.

    Returns:
        A row for each model and picture: ``model``, ``kind`` (``digits`` are the test digits) and
        ``confidence``.
    """
    images, _ = _some(test, reporting.robustness_digits)
    kinds = {DIGITS: images, **out_of_distribution(images)}
    return pd.concat(
        pd.DataFrame(
            {
                "model": name,
                "kind": kind,
                "confidence": probabilities_of(model, pictures).max(axis=1),
            }
        )
        for name, model in models.items()
        for kind, pictures in kinds.items()
    )


def draw_robustness(test: LabelledImages, corruption_accuracies: pd.DataFrame) -> Figure:
    """Accuracy against severity."""
    return plot_robustness(test, corruption_accuracies)


def draw_out_of_distribution(
    test: LabelledImages, out_of_distribution_confidences: pd.DataFrame
) -> Figure:
    """Confidence in digits and in what is none."""
    return plot_out_of_distribution(test, out_of_distribution_confidences)


def _some(test: LabelledImages, count: int) -> tuple[Pixels, np.ndarray]:
    rows = rows_of_all(test, count)
    return test["images"][rows], np.asarray(test["labels"])[rows]
