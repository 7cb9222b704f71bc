"""Decide whether an exported model replaces the served model."""

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from mnist_kedro.arrays import blocks
from mnist_kedro.contracts import LabeledImages, ManyPixels
from mnist_kedro.datasets import PromotedModel
from mnist_kedro.lineage import lineage_of, with_lineage
from mnist_kedro.metrics.comparison import bootstrap_difference
from mnist_kedro.parameters import PromotionParameters
from mnist_kedro.pipelines.export.nodes import Reference
from mnist_kedro.promotion import Promotion

logger = logging.getLogger(__name__)

_MIN_ACCURACY = 0.9  # smallest accuracy of the first model
MAX_LOSS = 0.001  # largest loss of accuracy, compared with the served model
_MAX_LOSS_BOUND = 0.003  # largest upper limit of the one-sided 95% interval of this loss
_BATCH = 1000


class Judgment(NamedTuple):
    """Whether a model may be served, and the reason."""

    promoted: bool
    reason: str
    comparison: dict[str, Any] | None = None  # with the served model


@with_lineage
def decide_promotion(
    reference: Reference,
    validation: LabeledImages,
    description: Mapping[str, Any],
    promoted_model: PromotedModel | None,
    promotion: PromotionParameters,
    run: Mapping[str, Any],
) -> Promotion:
    """Promote an exported model unless it is worse than the served model.

    Both classify the same validation digits. The new model may lose at most 0.1 percentage points
    of accuracy, and the upper limit of the loss (one-sided 95% interval) may be at most 0.3. Only
    the pipeline ``teaching`` promotes networks that were taught. A served model that was trained on
    other digits cannot be compared: these validation digits may have been among its training
    digits. The first model needs an accuracy of 90%.

    Args:
        reference: predictions of the new model.
        validation: the split on which both models are compared.
        description: description of the new model's ONNX file.
        promoted_model: the served model; None if there is none.
        promotion: ``enabled``, and a reason to ``force`` the promotion.
        run: the description of the run, whose id is the version of the export.
    """
    judgment = judge(reference, validation, description, promoted_model)
    record = reference["training_record"]
    if judgment.comparison and record and "taught" in record:
        judgment = judgment._replace(
            promoted=False,
            reason="it was taught from corrections, and 'kedro run --pipelines teaching' did not "
            "promote it",
        )
    if record and (environment := record["run"].get("environment")):
        reason = f"{judgment.reason}; it was trained with --env {environment}"
        judgment = judgment._replace(reason=reason)
    return conclude(judgment, reference, promoted_model, promotion, run, by="export")


def judge(
    reference: Reference,
    validation: LabeledImages,
    description: Mapping[str, Any],
    promoted_model: PromotedModel | None,
) -> Judgment:
    """Judge whether a model may be served, from its accuracy on the validation digits."""
    correct = reference["correct"]
    if promoted_model is None:
        return Judgment(
            float(np.mean(correct)) >= _MIN_ACCURACY,
            f"the first model; it classifies {np.mean(correct):.2%} of {len(correct):,} validation "
            f"digits correctly; at least {_MIN_ACCURACY:.0%} are required",
        )
    if _weights(promoted_model.description) == _weights(description):
        return Judgment(True, "this model is already served")
    if lineage_of(validation).items() - lineage_of(promoted_model.description).items():
        return Judgment(
            False,
            "the served model was trained on other digits, so both models cannot be compared",
        )
    served_digits = classify_with_onnx(promoted_model.file, validation["images"])
    comparison = compare_with_served(correct, served_digits == np.asarray(validation["labels"]))
    return Judgment(
        is_no_worse(comparison),
        f"on {len(correct):,} validation digits it loses {100 * comparison['loss']:.2f} percentage "
        "points of accuracy compared with the served model (upper limit of the 95% interval: "
        f"{100 * comparison['loss_upper_bound']:.2f}); allowed are {100 * MAX_LOSS:.1f} "
        f"(upper limit: {100 * _MAX_LOSS_BOUND:.1f})",
        comparison,
    )


def conclude(
    judgment: Judgment,
    reference: Reference,
    promoted_model: PromotedModel | None,
    promotion: PromotionParameters,
    run: Mapping[str, Any],
    by: str,
) -> Promotion:
    """Decide about the promotion of a model, and log the decision.

    The decision follows the judgment, unless the parameters disable or force the promotion.

    Args:
        judgment: judgment of the new model.
        reference: predictions of the new model.
        promoted_model: the served model; None if there is none.
        promotion: ``enabled``, and a reason to ``force`` the promotion.
        run: the description of the run, whose id is the version of the export.
        by: the pipeline that decides.
    """
    promoted, reason, comparison = judgment
    if not promotion.enabled:
        promoted, reason = False, "promotion.enabled is false"
    elif promotion.force is not None and not promoted:
        promoted, reason = True, f"forced ({promotion.force}), although {reason}"
    name, version = reference["model"], run["id"]
    logger.info(
        "%s %s is %s: %s.", name, version, "promoted" if promoted else "kept as a candidate", reason
    )
    if not promoted:
        logger.info(
            "To serve it: python -m mnist_kedro.serving promote %s, or --params "
            "promotion.force=REASON.",
            version,
        )
    served = promoted_model.decision if promoted_model else None
    return Promotion(
        model=name,
        version=version,
        trained=reference["training_record"]["run"]["id"] if reference["training_record"] else None,
        promoted=promoted,
        reason=reason,
        by=by,
        validation_accuracy=float(np.mean(reference["correct"])),
        validation_digits=len(reference["correct"]),
        served={"model": served["model"], "version": served["version"]} if served else None,
        comparison=comparison,
    )


def _weights(description: Mapping[str, Any]) -> str | None:
    record = description.get("training_record")
    return record["sha256_weights"] if record else None


def classify_with_onnx(file: bytes, images: ManyPixels) -> np.ndarray:
    """Classify images ``(n, 28, 28, 1)`` with an ONNX file; return the digits ``(n,)``."""
    import onnxruntime  # noqa: PLC0415  (an optional dependency)

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return np.concatenate(
        [
            session.run(["probabilities"], {"pixels": batch})[0].argmax(axis=1)
            for _, batch in blocks(images, _BATCH)
        ]
    )


def compare_with_served(correct: np.ndarray, served_correct: np.ndarray) -> dict[str, Any]:
    """Compute the loss of accuracy, and the upper bound of its one-sided 95% interval.

    Args:
        correct: ``(n,)``, whether the new model classifies a digit correctly, n ≥ 1.
        served_correct: ``(n,)``, whether the served model classifies the same digit correctly.
    """
    only_served = int(np.sum(served_correct & ~correct))
    only_new = int(np.sum(correct & ~served_correct))
    (bound,) = bootstrap_difference(only_served, only_new, len(correct), [95])
    return {
        "served_accuracy": float(np.mean(served_correct)),
        "only_served_right": only_served,
        "only_new_right": only_new,
        "loss": (only_served - only_new) / len(correct),
        "loss_upper_bound": bound,
    }


def is_no_worse(comparison: Mapping[str, Any]) -> bool:
    """Return whether a model loses so little accuracy that it may be served."""
    return bool(
        comparison["loss"] <= MAX_LOSS and comparison["loss_upper_bound"] <= _MAX_LOSS_BOUND
    )
