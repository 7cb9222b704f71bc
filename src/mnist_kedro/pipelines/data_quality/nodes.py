"""Nodes of the ``data_quality`` pipeline; each check returns findings."""

import logging
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from mnist_kedro.arrays import concatenate, select
from mnist_kedro.contracts import CLASSES, LabeledImages, Mnist, provenance
from mnist_kedro.lineage import KEY, lineage_of, mark_as_checking, with_lineage
from mnist_kedro.metrics.confident_learning import find_label_errors
from mnist_kedro.metrics.defects import DEFECTS, inspect_digits
from mnist_kedro.metrics.duplicates import find_copies, hash_rows, have_conflicts
from mnist_kedro.metrics.near_duplicates import find_near_duplicates
from mnist_kedro.metrics.prediction import probabilities_of, spread
from mnist_kedro.networks import NetworkParameters
from mnist_kedro.parameters import DataQualityParameters, TrainingParameters
from mnist_kedro.pipelines.data_processing.nodes import compute_pixel_statistics
from mnist_kedro.pipelines.data_quality.findings import (
    SEVERITIES,
    SPLITS,
    Findings,
    find,
    measure,
    rate,
)

logger = logging.getLogger(__name__)

_COMPARED = 100_000  # digits among which near duplicates are searched, in 3 s
_PREDICTED = 250_000  # digits of a split among which label errors are searched
_BATCH = 256  # With training.batch_size, 512, as many steps take twice as long.


@with_lineage
def check_classes(mnist: Mnist) -> Findings:
    """Check that all classes are about as frequent, and in the same proportions in both splits."""
    counts = [np.bincount(np.asarray(mnist[f"y_{split}"]), minlength=CLASSES) for split in SPLITS]  # type: ignore[literal-required]
    worst = max(counts, key=lambda split: split.max() / max(1, split.min()))
    ratio, frequent, rare = worst.max() / max(1, worst.min()), worst.argmax(), worst.argmin()
    proportions = [split / split.sum() for split in counts]
    distance = float(abs(proportions[0] - proportions[1]).sum() / 2)
    total = int(sum(split.sum() for split in counts))
    return {
        "counts": {split: count.tolist() for split, count in zip(SPLITS, counts, strict=True)},
        "findings": [
            measure(
                "class_balance",
                rate(ratio, 2, 10),
                f"The digit {frequent} is {ratio:.1f} times as frequent as the digit {rare}"
                if ratio > 1
                else "All classes are equally frequent",
                int(worst.min()),
                int(worst.sum()),
                f"Collect more digits of class {rare}. Until then, look at the recall of each "
                "digit in the report: the accuracy hardly depends on rare classes.",
            ),
            measure(
                "class_proportions",
                rate(distance, 0.1, 0.3),
                f"The class proportions of training and test digits differ by {distance:.1%}",
                total,
                total,
                "Split your digits at random: without a test split in your file, ingestion holds "
                "out the same share of each class (`ingestion.test_fraction`).",
            ),
        ],
    }


@mark_as_checking
def check_images(mnist: Mnist, examples: int) -> tuple[Findings, dict[str, Any]]:
    """Check each image for defects, and whether the images of the splits look alike.

    Returns:
        The findings, and the mean digits: ``images`` ``(20, 28, 28)`` uint8 of the training
        classes, then of the test classes, and ``labels`` ``(20,)``.
    """
    train = inspect_digits(mnist["x_train"], np.asarray(mnist["y_train"]))
    test = inspect_digits(mnist["x_test"], np.asarray(mnist["y_test"]))
    training, total = len(mnist["y_train"]), len(mnist["y_train"]) + len(mnist["y_test"])
    findings = [
        find(
            mnist,
            defect,
            np.concatenate([train.defects[defect], training + test.defects[defect]]),
            total,
            examples,
        )
        for defect in DEFECTS
    ]
    darkest, brightest = min(train.lowest, test.lowest), max(train.highest, test.highest)
    deviation = max(np.hypot(train.ink_deviation, test.ink_deviation) / np.sqrt(2), 1e-9)
    findings += [
        measure(
            "pixel_range",
            "ok" if brightest - darkest >= 200 else "warning",
            f"The pixels range from {darkest} to {brightest}",
            total,
            total,
            "Scale the pixels of your file to 0–255.",
        ),
        measure(
            "split_difference",
            rate(abs(train.mean_ink - test.mean_ink) / deviation, 0.5, 1),
            f"The mean gray level is {train.mean_ink:.1f} in training digits and "
            f"{test.mean_ink:.1f} in test digits",
            total,
            total,
            "Prepare the test digits in the same way as the training digits.",
        ),
    ]
    means = {
        "images": np.concatenate([train.means, test.means]),
        "labels": np.tile(np.arange(CLASSES, dtype=np.uint8), 2),
        **provenance(mnist),
    }
    return {"findings": findings, KEY: lineage_of(mnist)}, means


@with_lineage
def check_duplicates(mnist: Mnist, examples: int) -> Findings:
    """Find exact copies within the splits and between them, and copies with different labels."""
    copies = find_copies(mnist)
    rows, groups = copies
    training, test = len(mnist["y_train"]), len(mnist["y_test"])
    in_test = rows >= training
    again = (np.diff(groups, prepend=-1) == 0) & (np.diff(in_test, prepend=False) == 0)
    found = {
        "leaked": (in_test & np.isin(groups, groups[~in_test]), test),
        "conflicting_labels": (have_conflicts(copies, mnist), training + test),
        "train_duplicates": (again & ~in_test, training),
        "test_duplicates": (again & in_test, test),
    }
    return {
        "findings": [
            find(
                mnist,
                name,
                rows[mask],
                of,
                examples,
                groups=[
                    _ends(rows[groups == group])
                    for group in np.unique(groups[mask])[: examples // 2]
                ],
            )
            for name, (mask, of) in found.items()
        ]
    }


@with_lineage
def check_near_duplicates(mnist: Mnist, examples: int) -> Findings:
    """Find digits that are almost equal, among at most 100,000 digits."""
    training, test = len(mnist["y_train"]), len(mnist["y_test"])
    tested = spread(test, max(_COMPARED // 2, _COMPARED - training))
    sampled = np.concatenate([spread(training, _COMPARED - len(tested)), training + tested])
    images = concatenate([mnist["x_train"], mnist["x_test"]])[sampled]
    _, different = np.unique(hash_rows(images), return_index=True)
    different.sort()
    pairs = sampled[different[find_near_duplicates(images[different])]]
    between = (pairs[:, 0] < training) != (pairs[:, 1] < training)
    found = {
        "near_leaked": (pairs[between], len(tested)),
        "near_duplicates": (pairs[~between], len(sampled)),
    }
    return {
        "findings": [
            find(
                mnist,
                name,
                np.unique(close[:, 1]),
                of,
                examples,
                groups=close,
                among=len(sampled) if len(sampled) < training + test else None,
            )
            for name, (close, of) in found.items()
        ]
    }


@with_lineage
def check_label_errors(
    mnist: Mnist,
    data_quality: DataQualityParameters,
    training: TrainingParameters,
    network: NetworkParameters,
) -> tuple[pd.DataFrame, Findings]:
    """Find labels that are probably wrong, by cross-validation of a small network.

    Args:
        mnist: the digits; of more than 250,000 in a split, a sample is checked.
        data_quality: number of folds and steps, and the seed.
        training: the recipe; batch size, number of epochs and seed are replaced.
        network: which network.

    Returns:
        A row for each label that is probably wrong, with ``split``, ``row``, ``label``,
        ``suggested`` and the probabilities of both; and the findings.
    """
    from mnist_kedro.models.cross_validation import train_folds  # noqa: PLC0415  (TensorFlow)

    rows = {split: spread(len(mnist[f"y_{split}"]), _PREDICTED) for split in SPLITS}  # type: ignore[literal-required]
    digits = {split: _load(mnist, split, rows[split]) for split in SPLITS}
    networks = train_folds(
        digits["train"],
        compute_pixel_statistics(digits["train"]),
        training.model_copy(update={"seed": data_quality.seed, "batch_size": _BATCH}),
        network,
        data_quality.folds,
        data_quality.steps,
    )
    probabilities = {split: np.zeros((len(rows[split]), CLASSES)) for split in SPLITS}
    for model, held_out in networks:
        images = digits["train"]["images"][held_out]
        probabilities["train"][held_out] = probabilities_of(model, images)
        tested = probabilities_of(model, digits["test"]["images"])
        probabilities["test"] += tested / data_quality.folds
    tables, findings = [], []
    for split, predicted in probabilities.items():
        labels, total = digits[split]["labels"], len(mnist[f"y_{split}"])  # type: ignore[literal-required]
        wrong = find_label_errors(labels, predicted)
        others = np.where(np.arange(CLASSES) == labels[wrong, None], 0, predicted[wrong])
        suggested = others.argmax(axis=1)
        table = pd.DataFrame(
            {
                "split": split,
                "row": rows[split][wrong],
                "label": labels[wrong],
                "suggested": suggested,
                "label_probability": predicted[wrong, labels[wrong]],
                "suggested_probability": predicted[wrong, suggested],
            }
        )
        found = table["row"].to_numpy() + (split == "test") * len(mnist["y_train"])
        findings.append(
            find(
                mnist,
                f"{split}_label_errors",
                found,
                len(labels),
                2 * data_quality.examples,
                suggested=dict(zip(found.tolist(), suggested.tolist(), strict=True)),
                among=len(labels) if len(labels) < total else None,
            )
        )
        tables.append(table)
    return pd.concat(tables, ignore_index=True), {"findings": findings}


@with_lineage
def collect_findings(mnist: Mnist, **checks: Findings) -> dict[str, Any]:
    """Collect the findings of all checks, the worst first; log the problems and warnings."""
    every = chain.from_iterable(check["findings"] for check in checks.values())
    findings = sorted(
        every,
        key=lambda found: (SEVERITIES.index(found["severity"]), -found["count"] / found["of"]),
    )
    for finding in findings:
        if finding["severity"] in ("problem", "warning"):
            logger.warning("Data quality: %s.", finding["sentence"])
    severities = [finding["severity"] for finding in findings]
    return {
        "data": {**provenance(mnist)},
        "checks": list(checks),
        "classes": checks["classes"]["counts"],
        "severities": {severity: severities.count(severity) for severity in SEVERITIES},
        "findings": findings,
    }


def _ends(rows: np.ndarray) -> np.ndarray:
    """Return at most four rows: the last ones of leaked digits are test digits."""
    return rows if len(rows) <= 4 else rows[[0, 1, -2, -1]]


def _load(mnist: Mnist, split: str, rows: np.ndarray) -> LabeledImages:
    """Load digits of a split into memory."""
    images = np.asarray(select(mnist[f"x_{split}"], rows))[..., np.newaxis]  # type: ignore[literal-required]
    labels = np.asarray(mnist[f"y_{split}"])[rows]  # type: ignore[literal-required]
    return LabeledImages(images=images, labels=labels, **provenance(mnist))
