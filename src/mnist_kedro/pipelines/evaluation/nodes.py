"""Nodes of the ``evaluation`` pipeline."""

import logging
from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from mnist_kedro.contracts import LabeledImages, provenance
from mnist_kedro.errors import InputError
from mnist_kedro.lineage import KEY, RECORD, with_lineage
from mnist_kedro.metrics.calibration import scale_temperature, score_probabilities
from mnist_kedro.metrics.classification import classify_errors
from mnist_kedro.metrics.comparison import Comparison, compare
from mnist_kedro.metrics.label_errors import classify_without_label_errors
from mnist_kedro.metrics.prediction import PROBABILITIES, probabilities_of
from mnist_kedro.metrics.selective import confidence_threshold, reject_unsure
from mnist_kedro.parameters import ReportingParameters
from mnist_kedro.plots.style import describe_test

logger = logging.getLogger(__name__)


@with_lineage
def predict_digits(model: Any, digits: LabeledImages) -> pd.DataFrame:
    """Classify the digits of a split.

    Args:
        model: a Keras model, ``(n, 28, 28, 1)`` uint8 → ``(n, 10)`` probabilities.
        digits: n digits.

    Returns:
        A row for each digit: ``label``, ``prediction`` (0–9), ``confidence`` (the prediction's
        probability) and ``p0`` … ``p9``.
    """
    probabilities = probabilities_of(model, digits["images"])
    return _predictions(np.asarray(digits["labels"]), probabilities)


@with_lineage
def average_predictions(**predictions: pd.DataFrame) -> pd.DataFrame:
    """Average the probabilities in several models' tables of predictions."""
    first = next(iter(predictions.values()))
    tables = [table[PROBABILITIES].to_numpy() for table in predictions.values()]
    probabilities = np.stack(tables).mean(axis=0, dtype=np.float64)
    return _predictions(first["label"].to_numpy(), probabilities)


def _predictions(labels: np.ndarray, probabilities: np.ndarray) -> pd.DataFrame:
    table = pd.DataFrame(probabilities, columns=PROBABILITIES)
    table.insert(0, "label", labels)
    table.insert(1, "prediction", probabilities.argmax(axis=1).astype(np.uint8))
    table.insert(2, "confidence", probabilities.max(axis=1))
    return table


@with_lineage
def evaluate_model(
    predictions: pd.DataFrame,
    validation_predictions: pd.DataFrame,
    history: Mapping[str, Any],
    test: LabeledImages,
    reporting: ReportingParameters,
) -> dict[str, Any]:
    """Compute the metrics of a model on the test split.

    The confidence threshold is chosen on the validation digits. For comparison, the probability
    scores are also computed without the model's temperature.

    Raises:
        InputError: if the labels of the predictions are not those of the test digits.
    """
    if not np.array_equal(predictions["label"], np.asarray(test["labels"])):
        raise InputError("predictions: the labels are not those of 'test'; run 'kedro run' again.")
    temperature = history.get("temperature", 1.0)  # missing in histories of earlier versions
    uncalibrated = scale_temperature(predictions[PROBABILITIES].to_numpy(), 1 / temperature)
    return {
        **_evaluate(predictions, validation_predictions, test, reporting),
        "temperature_scaling": {
            "temperature": temperature,
            "without": score_probabilities(predictions["label"].to_numpy(), uncalibrated),
        },
        "parameters": history["parameters"],
        "epochs": history["epochs"],
        "training_seconds": history["training_seconds"],
        "precision": history["precision"],
        "seed": history["seed"],
        RECORD: history[RECORD],
    }


@with_lineage
def evaluate_ensemble(
    predictions: pd.DataFrame,
    validation_predictions: pd.DataFrame,
    test: LabeledImages,
    reporting: ReportingParameters,
    **members: Mapping[str, Any],
) -> dict[str, Any]:
    """Compute the metrics of an ensemble on the test split, and the spread of its members.

    The members differ only in their seeds: the mean and the sample standard deviation (n − 1) of
    their accuracies describe the result of a training with an arbitrary seed.
    """
    accuracies = [evaluation["accuracy"] for evaluation in members.values()]
    return {
        **_evaluate(predictions, validation_predictions, test, reporting),
        **{
            key: sum(evaluation[key] for evaluation in members.values())
            for key in ("parameters", "training_seconds")
        },
        "members": {
            "names": list(members),
            "seeds": [evaluation["seed"] for evaluation in members.values()],
            "accuracies": accuracies,
            "mean_accuracy": float(np.mean(accuracies)),
            "standard_deviation": float(np.std(accuracies, ddof=1)),
        },
    }


def _evaluate(
    predictions: pd.DataFrame,
    validation_predictions: pd.DataFrame,
    test: LabeledImages,
    reporting: ReportingParameters,
) -> dict[str, Any]:
    labels, predicted = predictions["label"].to_numpy(), predictions["prediction"].to_numpy()
    probabilities = predictions[PROBABILITIES].to_numpy()
    target = reporting.target_accuracy
    threshold = confidence_threshold(*_correct_and_confidence(validation_predictions), target)
    evaluation = {
        **classify_errors(labels, predicted),
        **score_probabilities(labels, probabilities),
        "rejection": reject_unsure(*_correct_and_confidence(predictions), threshold, target),
    }
    if test["canonical_mnist"]:  # its wrong labels are known
        evaluation["without_label_errors"] = classify_without_label_errors(labels, predicted)
    return evaluation


def _correct_and_confidence(predictions: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return whether each prediction is correct, and its confidence."""
    correct = predictions["label"] == predictions["prediction"]
    return correct.to_numpy(), predictions["confidence"].to_numpy()


@with_lineage
def compare_models(**predictions: pd.DataFrame) -> dict[str, Comparison]:
    """Compare each pair of models on the test split; the keys are ``<first>_vs_<second>``."""
    correct = {name: _correct_and_confidence(table)[0] for name, table in predictions.items()}
    return {
        f"{first}_vs_{second}": compare(correct[first], correct[second])
        for first, second in combinations(correct, 2)
    }


@with_lineage
def collect_metrics(
    train: LabeledImages,
    validation: LabeledImages,
    test: LabeledImages,
    comparison: Mapping[str, Comparison],
    **evaluations: Mapping[str, Any],
) -> dict[str, Any]:
    """Collect metrics and training records; warn if the digits are not the canonical MNIST."""
    description = describe_test(test)
    if not test["canonical_mnist"]:
        logger.warning("Not comparable with published results on MNIST: %s.", description)
    return {
        "data": {
            **provenance(test),
            "description": description,
            "train": len(train["labels"]),
            "validation": len(validation["labels"]),
            "test": len(test["labels"]),
        },
        "models": {
            name: {key: value for key, value in evaluation.items() if key not in (KEY, RECORD)}
            for name, evaluation in evaluations.items()
        },
        "training_records": {
            name: evaluation[RECORD]
            for name, evaluation in evaluations.items()
            if RECORD in evaluation  # ensembles have no record
        },
        "comparison": {pair: value for pair, value in comparison.items() if pair != KEY},
    }
