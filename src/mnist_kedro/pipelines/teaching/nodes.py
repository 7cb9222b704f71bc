"""Nodes of the ``teaching`` pipeline."""

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import binomtest

from mnist_kedro.contracts import LabeledImages
from mnist_kedro.corrections import NO_DIGIT
from mnist_kedro.errors import InputError
from mnist_kedro.lineage import (
    KEY,
    RECORD,
    join_lineages,
    lineage_of,
    mark_as_checking,
    record_of,
    record_training,
    short_digest,
    with_lineage,
)
from mnist_kedro.metrics.picture_calibration import (
    PictureCalibration,
    choose_digit_threshold,
    measure_calibration,
    tune_digit_threshold,
)
from mnist_kedro.metrics.prediction import probabilities_of, rows_of_all
from mnist_kedro.paper.handwriting import STRAIGHT_DIGITS, draw, rewrite, trace, vary_straight
from mnist_kedro.parameters import TeachingParameters, TrainingParameters
from mnist_kedro.pictures.detector import score_digits
from mnist_kedro.pictures.digit import place_digit
from mnist_kedro.pipelines.export.promotion import MAX_LOSS
from mnist_kedro.pipelines.teaching.promotion import (
    MAX_NEAT_LOSS,
    MAX_REDRAWN_LOSS,
    worst_class,
)

logger = logging.getLogger(__name__)

_NEAT_DIGITS = 30  # number of digits per form in STRAIGHT_DIGITS

Corrections = Mapping[str, Any]  # the type that CorrectionsDataset loads


def snapshot_corrections(corrections: Corrections, teaching: TeachingParameters) -> Corrections:
    """Save the current corrections, because users may change them during the run.

    Args:
        corrections: all corrections.
        teaching: contains ``min_corrections``.

    Returns:
        The corrections, with their digest as ``corrections``.

    Raises:
        InputError: if there are too few corrections.
    """
    labels = np.asarray(corrections["labels"])
    if len(labels) < teaching.min_corrections:
        raise InputError(
            f"corrections: found {len(labels)}, but teaching needs at least "
            f"{teaching.min_corrections}; correct more digits in the web app ('make app')."
        )
    logger.info(
        "%d corrections, %d of them without a digit.", len(labels), np.sum(labels == NO_DIGIT)
    )
    arrays = (corrections[key] for key in ("images", "labels", "identifiers"))
    return {**corrections, "corrections": short_digest(*(array.tobytes() for array in arrays))}


def to_pictures(corrections_snapshot: Corrections) -> dict[str, Image.Image]:
    """Convert the corrected digits to pictures in folders 0–9, which ``ingestion`` can read."""
    snapshot = corrections_snapshot
    return {
        f"{label}/{identifier.decode()}": Image.fromarray(image[..., 0])
        for image, label, identifier in zip(
            snapshot["images"], snapshot["labels"], snapshot["identifiers"], strict=True
        )
        if label != NO_DIGIT
    }


def teach_network(
    promoted_network: Any,
    corrections_snapshot: Corrections,
    train: LabeledImages,
    validation: LabeledImages,
    redrawn_validation: LabeledImages,
    neat_digits: Mapping[str, Any],
    teaching: TeachingParameters,
    training: TrainingParameters,
    run: Mapping[str, Any],
    name: str,
) -> tuple[Any, Mapping[str, Any]]:
    """Fine-tune the promoted network on corrections, with little loss on other digits.

    Args:
        promoted_network: the Keras model that is served.
        corrections_snapshot: the corrections to learn.
        train: the digits that the network was trained on; its predictions for them should not
            change.
        validation: digits on which the strength is chosen, from ``teaching.strengths``.
        redrawn_validation: validation digits redrawn with another pen, for the same choice.
        neat_digits: neatly drawn digits, for the same choice.
        teaching: number of steps, strengths to try, and so on.
        training: contains ``augmentation``, which is applied to all digits.
        run: the description of the run, for the training record.
        name: name of the model.

    Returns:
        A new version of the model, and the history of its teaching. The training record of the
        model names the parent network and the corrections.

    Raises:
        InputError: if another model is served.
    """
    parent = record_of(promoted_network)
    if parent is None or parent["model"] != name:
        found = parent["model"] if parent else promoted_network.name
        raise InputError(
            f"promoted_network: the served network is '{found}', but this run teaches "
            f"'{name}'; add --params training.models=[{found}]."
        )
    lineage = join_lineages(
        {
            "promoted_network": {k: v for k, v in parent["lineage"].items() if k != name},
            "train": lineage_of(train),
            "validation": lineage_of(validation),
        }
    )
    others = (validation, redrawn_validation, neat_digits)
    model, history = _teach(
        promoted_network, corrections_snapshot, train, others, teaching, training
    )
    history["data"], history["training_digits"] = parent["data"], parent["training_digits"]
    record = record_training(model, name, history, lineage, parent["parameters"], run)
    labels = np.asarray(corrections_snapshot["labels"])
    taught = {
        "parent": {"version": parent["run"]["id"], "sha256_weights": parent["sha256_weights"]},
        "corrections": {
            "digest": corrections_snapshot["corrections"],
            "digits": int(np.sum(labels != NO_DIGIT)),
            "non_digits": int(np.sum(labels == NO_DIGIT)),
        },
        "parameters": teaching.model_dump(mode="json"),
        "strength": history["strength"],
    }
    model.training_record = record | {"taught": taught}
    return model, {**history, KEY: record["lineage"], RECORD: model.training_record}


def _teach(
    parent: Any,
    corrections: Corrections,
    train: LabeledImages,
    others: Sequence[Mapping[str, Any]],
    teaching: TeachingParameters,
    training: TrainingParameters,
) -> tuple[Any, dict[str, Any]]:
    """Fine-tune with each strength in turn, until the accuracy on other digits hardly drops.

    ``others`` are validation digits, redrawn digits and neat digits.
    """
    from mnist_kedro.models.teaching import FineTuned, FineTuner, copy_network  # noqa: PLC0415

    taught, strength = FineTuned(copy_network(parent), 1.0, 0.0, 0.0), 0.0
    is_digit = corrections["labels"] != NO_DIGIT
    if is_digit.any():
        before = [_is_correct(parent, digits) for digits in others]
        tuner = FineTuner(parent, train, teaching, training.augmentation)
        images, labels = corrections["images"][is_digit], corrections["labels"][is_digit]
        for strength in teaching.strengths:
            taught = tuner.fine_tune(images, labels, strength)
            after = [_is_correct(taught.network, digits) for digits in others]
            lost = [float(b.mean() - a.mean()) for b, a in zip(before[:2], after, strict=False)]
            digit, lost_neat = worst_class(others[2]["labels"], before[2], after[2])
            logger.info(
                "Taught with strength %g: accuracy on validation digits %+.2f points, on redrawn "
                "ones %+.2f, on neat %ds %+.0f.",
                strength,
                -100 * lost[0],
                -100 * lost[1],
                digit,
                -100 * lost_neat,
            )
            allowed = (MAX_LOSS / 2, MAX_REDRAWN_LOSS / 2, MAX_NEAT_LOSS / 2)
            if all(np.array([*lost, lost_neat]) <= allowed):
                break
    labels = np.asarray(others[0]["labels"])
    probabilities = probabilities_of(taught.network, others[0]["images"])
    likelihoods = probabilities[np.arange(len(labels)), labels]
    return taught.network, {
        "accuracy": [taught.accuracy],
        "loss": [taught.loss],
        "validation_accuracy": [float(np.mean(probabilities.argmax(axis=1) == labels))],
        "validation_loss": [float(-np.mean(np.log(np.maximum(likelihoods, 1e-12))))],
        "seconds": [taught.seconds],
        "training_seconds": taught.seconds,
        "epochs": 1,
        "label_smoothing": 0,
        "augmented_epochs": 1,
        "parameters": sum(math.prod(part.shape) for part in taught.network.trainable_weights),
        "precision": "float32",
        "seed": teaching.seed,
        "strength": strength,
    }


def _is_correct(network: Any, digits: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Return whether a network classifies each digit correctly."""
    predicted = probabilities_of(network, digits["images"]).argmax(axis=1)
    correct: NDArray[np.bool_] = predicted == np.asarray(digits["labels"])
    return correct


def measure_test_accuracy(promoted_network: Any, test: LabeledImages) -> float:
    """Return the network's test accuracy before teaching, in 0–1, to limit the loss."""
    return float(_is_correct(promoted_network, test).mean())


def cross_validate(
    promoted_network: Any,
    corrections_snapshot: Corrections,
    train: LabeledImages,
    digit_scores: NDArray[np.float32],
    history: Mapping[str, Any],
    teaching: TeachingParameters,
    training: TrainingParameters,
) -> dict[str, Any]:
    """Measure the gain on held-out corrections by cross-validation.

    For each fold, a network is fine-tuned on the other folds, with the same function and strength
    as the final network. The detector's threshold is adjusted to the other folds, too.

    Args:
        promoted_network: the Keras model before teaching.
        corrections_snapshot: n corrections.
        train: the digits that the network was trained on.
        digit_scores: the digit detector's scores of validation digits.
        history: contains ``strength``, the strength of the final teaching.
        teaching: number of folds, steps and so on.
        training: contains ``augmentation``, which is applied to all digits.

    Returns:
        ``digits``, the predictions of each correction before and after teaching, the numbers of
        correct predictions, and the one-sided p-value of the sign test.
    """
    images, labels = corrections_snapshot["images"], np.asarray(corrections_snapshot["labels"])
    is_digit = labels != NO_DIGIT
    scores = score_digits(images)
    # Do not use the served threshold: an earlier teaching may have fitted it to these corrections.
    threshold = choose_digit_threshold(digit_scores)
    before = probabilities_of(promoted_network, images)
    after, thresholds = before.copy(), np.full(len(labels), threshold)
    folds = _assign_folds(labels, teaching.folds, teaching.seed)
    networks = _teach_folds(
        promoted_network,
        corrections_snapshot,
        train,
        folds,
        history["strength"],
        teaching,
        training,
    )
    for fold, network in networks:
        held_out = folds == fold
        after[held_out] = probabilities_of(network, images[held_out])
    for fold in range(teaching.folds):
        held_out = folds == fold
        thresholds[held_out] = tune_digit_threshold(
            threshold, digit_scores, scores[~held_out], is_digit[~held_out]
        )
    predictions = [
        _predict(before, scores >= threshold),
        _predict(after, scores >= thresholds),
    ]
    right_before, right_after = (predicted == labels for predicted in predictions)
    only_before = int(np.sum(right_before & ~right_after))
    only_after = int(np.sum(right_after & ~right_before))
    discordant = only_before + only_after
    p = binomtest(only_after, discordant, alternative="greater").pvalue if discordant else 1.0
    logger.info(
        "Cross-validation on %d corrections: %d correct before teaching, %d after.",
        len(labels),
        right_before.sum(),
        right_after.sum(),
    )
    return {
        "corrections": corrections_snapshot["corrections"],
        "count": len(labels),
        "right_before": int(right_before.sum()),
        "right_after": int(right_after.sum()),
        "only_before_right": only_before,
        "only_after_right": only_after,
        "p": float(p),
        "strength": history["strength"],
        "digits": [
            {
                "identifier": identifier.decode(),
                "label": int(label),
                "before": int(first),
                "before_confidence": round(float(p_before.max()), 4),
                "after": int(second),
                "after_confidence": round(float(p_after.max()), 4),
            }
            for identifier, label, first, p_before, second, p_after in zip(
                corrections_snapshot["identifiers"],
                labels,
                predictions[0],
                before,
                predictions[1],
                after,
                strict=True,
            )
        ],
        KEY: {**lineage_of(history), "corrections": corrections_snapshot["corrections"]},
    }


def _assign_folds(labels: NDArray[np.integer], count: int, seed: int) -> NDArray[np.intp]:
    """Assign each correction to a fold, stratified by label; return the folds ``(n,)``."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    folds = np.empty(len(labels), np.intp)
    folds[order] = np.arange(len(labels)) % count
    return folds


def _teach_folds(
    parent: Any,
    corrections: Corrections,
    train: LabeledImages,
    folds: NDArray[np.intp],
    strength: float,
    teaching: TeachingParameters,
    training: TrainingParameters,
) -> Iterator[tuple[int, Any]]:
    """Yield the number of each fold, and the network that was fine-tuned on the other folds."""
    from mnist_kedro.models.teaching import FineTuner  # noqa: PLC0415  (TensorFlow)

    if not strength:
        return
    is_digit = corrections["labels"] != NO_DIGIT
    tuner = FineTuner(parent, train, teaching, training.augmentation)
    for fold in np.unique(folds[is_digit]).tolist():
        taught = is_digit & (folds != fold)
        if taught.any():
            images, labels = corrections["images"][taught], corrections["labels"][taught]
            logger.info("Cross-validation: fold %d of %d.", fold + 1, teaching.folds)
            yield fold, tuner.fine_tune(images, labels, strength).network


def _predict(probabilities: NDArray[np.floating], is_digit: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the predicted digits; NO_DIGIT if the detector rejects a picture."""
    return np.where(is_digit, probabilities.argmax(axis=1), NO_DIGIT)


@with_lineage
def calibrate_taught_network(
    model: Any,
    photographed_validation: LabeledImages,
    digit_scores: NDArray[np.float32],
    corrections_snapshot: Corrections,
) -> PictureCalibration:
    """Calibrate a network for pictures, and adjust the detector's threshold to the corrections.

    Args:
        model: the Keras model that was taught.
        photographed_validation: simulated photos of validation digits.
        digit_scores: the digit detector's scores of validation digits.
        corrections_snapshot: the corrections, whose labels include "no digit".
    """
    calibration = measure_calibration(
        digit_scores,
        np.asarray(photographed_validation["labels"]),
        probabilities_of(model, photographed_validation["images"]),
    )
    calibration["digit_threshold"] = tune_digit_threshold(
        calibration["digit_threshold"],
        digit_scores,
        score_digits(corrections_snapshot["images"]),
        corrections_snapshot["labels"] != NO_DIGIT,
    )
    return calibration


@mark_as_checking
def redraw_digits(validation: LabeledImages, teaching: TeachingParameters) -> LabeledImages:
    """Redraw validation digits with another pen, as people draw in the web app.

    Args:
        validation: the validation split.
        teaching: contains ``redrawn_digits``, the number of digits, and ``seed``.

    Returns:
        The digits in MNIST's format.
    """
    rows = rows_of_all(validation, teaching.redrawn_digits)
    random = np.random.default_rng(teaching.seed)
    images = [
        place_digit(rewrite(image[..., 0], random, side, side * random.uniform(0.02, 0.1)))
        for image in validation["images"][rows]
        for side in [int(random.integers(20, 85))]
    ]
    labels = np.asarray(validation["labels"])[rows]
    return {**validation, "images": np.stack(images)[..., np.newaxis], "labels": labels}


def draw_neat_digits(teaching: TeachingParameters) -> dict[str, np.ndarray]:
    """Draw neat digits with straight strokes, as many people draw in the web app.

    Returns:
        ``images`` ``(n, 28, 28, 1)`` uint8 and ``labels`` ``(n,)`` uint8, without 0 and 8.
    """
    random = np.random.default_rng(teaching.seed)
    images, labels = [], []
    for number, (label, _) in enumerate(STRAIGHT_DIGITS):
        for _ in range(_NEAT_DIGITS):
            side = int(random.integers(20, 85))
            size = side, max(4, round(side * random.uniform(0.4, 1)))
            lines = draw(vary_straight(number, random), size)
            images.append(place_digit(trace(lines, side * random.uniform(0.02, 0.1))))
            labels.append(label)
    return {"images": np.stack(images)[..., np.newaxis], "labels": np.array(labels, np.uint8)}
