"""Decide whether a taught network replaces the served network."""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

from mnist_kedro.contracts import LabeledImages
from mnist_kedro.datasets import PromotedModel
from mnist_kedro.lineage import with_lineage
from mnist_kedro.parameters import PromotionParameters
from mnist_kedro.pipelines.export.nodes import Reference
from mnist_kedro.pipelines.export.promotion import (
    classify_with_onnx,
    compare_with_served,
    conclude,
    judge,
)
from mnist_kedro.promotion import Promotion

_MAX_P = 1 / 16  # largest p-value of the sign test; four changes, all improvements, reach it
_MAX_TEST_LOSS = 0.001  # largest loss of accuracy on the test digits
_ROUNDING = 1e-9  # A loss may equal its limit, but 0.9953 - 0.9943 > 0.001 in binary.
MAX_REDRAWN_LOSS = 0.005  # largest loss of accuracy on redrawn validation digits
MAX_NEAT_LOSS = 0.05  # largest loss of accuracy on the neat digits of any class
_SHOWN = 20  # largest number of shown digits that are newly misclassified


@with_lineage
def decide_promotion_of_taught(
    reference: Reference,
    validation: LabeledImages,
    description: Mapping[str, Any],
    promoted_model: PromotedModel,
    promotion: PromotionParameters,
    run: Mapping[str, Any],
    onnx: bytes,
    redrawn_validation: LabeledImages,
    neat_digits: Mapping[str, np.ndarray],
    held_out_corrections: Mapping[str, Any],
    untaught_test_accuracy: float,
) -> Promotion:
    """Promote a taught network if it classifies corrections better and other digits no worse.

    Like every network, it has to pass the comparison on validation digits in
    :func:`~mnist_kedro.pipelines.export.promotion.judge`. In cross-validation, it must classify
    more held-out corrections correctly than the served network (one-sided sign test, p ≤ 1/16). It
    may lose at most 0.1 percentage points of accuracy on the test digits, 0.5 on redrawn validation
    digits, and 5 on the neat digits of any class. The last two conditions reject corrections that
    contradict how most people write.

    The test digits can only prevent the promotion; no parameter is chosen on them.

    Args:
        reference: predictions of the new network.
        validation: the split on which both networks are compared.
        description: description of the new network's ONNX file.
        promoted_model: the served network. The new network was taught from it or, if the served
            network was taught itself, from its ancestor.
        promotion: ``enabled``, and a reason to ``force`` the promotion.
        run: the description of the run, whose id is the version of the export.
        onnx: the new network's ONNX file.
        redrawn_validation: validation digits that were redrawn with another pen.
        neat_digits: ``images`` and ``labels`` of neatly drawn digits.
        held_out_corrections: results of the cross-validation.
        untaught_test_accuracy: accuracy of the network before any teaching, so that the losses of
            several teachings do not add up.
    """
    served_digits, digits = (
        classify_with_onnx(file, validation["images"]) for file in (promoted_model.file, onnx)
    )
    redrawn = _compare(promoted_model.file, onnx, redrawn_validation)
    neat = worst_class(
        neat_digits["labels"],
        *(
            classify_with_onnx(file, neat_digits["images"]) == neat_digits["labels"]
            for file in (promoted_model.file, onnx)
        ),
    )
    test_loss = untaught_test_accuracy - description["accuracy"]
    judgment = judge(reference, validation, description, promoted_model)
    reasons = _rejection_reasons(held_out_corrections, redrawn["loss"], neat, test_loss)
    if reasons:
        before = [] if judgment.promoted else [judgment.reason]
        judgment = judgment._replace(promoted=False, reason="; ".join(before + reasons))
    decision = conclude(judgment, reference, promoted_model, promotion, run, by="teaching")
    counts = ("count", "right_before", "right_after", "only_before_right", "only_after_right", "p")
    decision["teaching"] = {
        "held_out": {key: held_out_corrections[key] for key in counts},
        "corrections": held_out_corrections["corrections"],
        "strength": held_out_corrections["strength"],
        "test_accuracy_before": untaught_test_accuracy,
        "test_accuracy": description["accuracy"],
        "test_digits": description["test_digits"],
        "redrawn": redrawn,
        "neat": {"worst_class": neat[0], "loss": neat[1]},
        "worse": _describe_worse(validation, served_digits, digits),
    }
    return decision


def _compare(served: bytes, new: bytes, digits: LabeledImages) -> dict[str, Any]:
    """Compare two ONNX files on the same digits."""
    labels = np.asarray(digits["labels"])
    correct, served_correct = (
        classify_with_onnx(file, digits["images"]) == labels for file in (new, served)
    )
    return compare_with_served(correct, served_correct) | {"digits": len(labels)}


def worst_class(labels: np.ndarray, before: np.ndarray, after: np.ndarray) -> tuple[int, float]:
    """Return the class with the largest loss of accuracy, and the loss.

    Args:
        labels: ``(n,)`` in 0–9.
        before: ``(n,)``, whether each digit was classified correctly before teaching.
        after: ``(n,)``, whether each digit is classified correctly after teaching.
    """
    losses = {
        int(label): float(before[labels == label].mean() - after[labels == label].mean())
        for label in np.unique(labels)
    }
    worst = max(losses, key=lambda label: losses[label])
    return worst, losses[worst]


def _rejection_reasons(
    held_out: Mapping[str, Any], redrawn_loss: float, neat: tuple[int, float], test_loss: float
) -> list[str]:
    """Return the reasons why a taught network must not be promoted."""
    reasons = []
    if held_out["p"] > _MAX_P:
        reasons.append(
            f"in cross-validation {held_out['right_after']} of {held_out['count']} corrections are "
            f"classified correctly, and {held_out['right_before']} before learning, which may be "
            f"chance (p = {held_out['p']:.2g}, but at most {_MAX_P} is allowed); correct more "
            "digits like these"
        )
    if redrawn_loss > MAX_REDRAWN_LOSS + _ROUNDING:
        reasons.append(
            f"it loses {100 * redrawn_loss:.1f} percentage points of accuracy on validation digits "
            f"that were redrawn with another pen, but at most {100 * MAX_REDRAWN_LOSS:.1f} are "
            "allowed (the corrections contradict how most people write)"
        )
    if neat[1] > MAX_NEAT_LOSS + _ROUNDING:
        reasons.append(
            f"it misclassifies {100 * neat[1]:.0f} more of 100 neatly drawn {neat[0]}s, but at "
            f"most {100 * MAX_NEAT_LOSS:.0f} are allowed (the corrections contradict how most "
            "people write)"
        )
    if test_loss > _MAX_TEST_LOSS + _ROUNDING:
        reasons.append(
            f"it loses {100 * test_loss:.2f} percentage points of accuracy on the test digits, but "
            f"at most {100 * _MAX_TEST_LOSS:.1f} are allowed"
        )
    return reasons


def _describe_worse(
    digits: LabeledImages, before: np.ndarray, after: np.ndarray
) -> list[dict[str, Any]]:
    """Describe up to 20 digits that are misclassified now, but were not before."""
    labels = np.asarray(digits["labels"])
    rows = np.flatnonzero((before == labels) & (after != labels))[:_SHOWN]
    return [
        {
            "row": int(row),
            "label": int(labels[row]),
            "after": int(after[row]),
            "pixels": base64.b64encode(digits["images"][row].tobytes()).decode(),
        }
        for row in rows
    ]
