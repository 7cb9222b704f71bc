"""Nodes of the ``data_quality`` pipeline; each check returns findings."""

import logging
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mnist_kedro.arrays import concatenate, select
from mnist_kedro.contracts import CLASSES, LabeledImages, ManyPixels, Mnist, provenance
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
    Describer,
    Findings,
    Severity,
    describe_all,
    rate,
)
from mnist_kedro.sources.content import Split, compare, seem_wrong

logger = logging.getLogger(__name__)

_COMPARED = 100_000  # largest number of digits in the search for near duplicates, which takes 3 s
_PREDICTED = 250_000  # largest number of digits per split in the search for label errors
_BATCH = 256  # with training.batch_size, 512, the same number of steps takes twice as long


def _class_ratio(counts: NDArray[np.integer]) -> float:
    """Return how many times as frequent as the rarest class the most frequent one is."""
    return float(counts.max()) / max(1.0, float(counts.min()))


@with_lineage
def check_classes(mnist: Mnist) -> Findings:
    """Check that the classes are balanced, and have the same proportions in both splits."""
    labels = np.asarray(mnist["y_train"]), np.asarray(mnist["y_test"])
    train, test = (np.bincount(split, minlength=CLASSES) for split in labels)
    worst = max(train, test, key=_class_ratio)
    ratio = _class_ratio(worst)
    distance = float(abs(train / train.sum() - test / test.sum()).sum() / 2)  # total variation
    balance = describe_all(
        "class_balance",
        rate(ratio, 2, 10),
        f"The digit {worst.argmax()} is {ratio:.1f} times as frequent as the digit {worst.argmin()}"
        if ratio > 1
        else "All classes are equally frequent",
        int(worst.min()),
        int(worst.sum()),
        f"Collect more digits of class {worst.argmin()}. Until then, look at the recall of each "
        "digit in the report: the accuracy hardly depends on rare classes.",
    )
    proportions = describe_all(
        "class_proportions",
        rate(distance, 0.1, 0.3),
        f"The class proportions of training and test digits differ by {distance:.1%}",
        len(labels[1]),
        len(labels[1]),
        "Split your digits at random: without a test split in your file, ingestion holds out the "
        "same share of each class (`ingestion.test_fraction`).",
    )
    counts = {"train": train.tolist(), "test": test.tolist()}
    return {"findings": [balance, proportions], "counts": counts}


@with_lineage
def check_content(mnist: Mnist) -> Findings:
    """Compare up to 1,000 digits of each split with the digits of the embedded sample."""
    splits = {
        "training": Split(mnist["x_train"], np.asarray(mnist["y_train"])),
        "test": Split(mnist["x_test"], np.asarray(mnist["y_test"])),
    }
    findings = []
    for name, split in splits.items():
        found = compare(name, split)
        severity: Severity = "warning" if seem_wrong(found.clear, found.wrong) else "ok"
        sentence = (
            f"{found.agreeing:.0%} of {found.compared:,} {name} digits resemble MNIST's digits of "
            "the same label"
        )
        if found.orientation != "as_is":
            severity = "problem"
            sentence = f"The {name} images are {found.orientation.replace('_', ' ')}"
        findings.append(
            describe_all(
                f"{name}_content",
                severity,
                sentence,
                *(found.wrong, found.clear),
                "Ingest your file again: `ingestion.orientation` turns images. If many labels are "
                "wrong, search for them with `--params data_quality.label_errors=true`.",
            )
        )
    return {"findings": findings}


@mark_as_checking
def check_images(mnist: Mnist, examples: int) -> tuple[Findings, dict[str, Any]]:
    """Check each image for defects, and whether the images of the splits look alike.

    Returns:
        The findings, and the mean digit of each class: ``images`` ``(20, 28, 28)`` uint8, first
        of the training split, then of the test split, and ``labels`` ``(20,)``.
    """
    digits = Describer(mnist, examples)
    train = inspect_digits(mnist["x_train"], digits.train)
    test = inspect_digits(mnist["x_test"], digits.test)
    rows = {d: np.append(train.defects[d], len(digits.train) + test.defects[d]) for d in DEFECTS}
    findings = [digits.describe(defect, rows[defect], digits.total) for defect in DEFECTS]
    darkest, brightest = min(train.lowest, test.lowest), max(train.highest, test.highest)
    deviation = max(np.hypot(train.ink_deviation, test.ink_deviation) / np.sqrt(2), 1e-9)
    pixel_range = describe_all(
        "pixel_range",
        "ok" if brightest - darkest >= 200 else "warning",
        f"The pixels range from {darkest} to {brightest}",
        *(digits.total, digits.total),
        "Scale the pixels of your file to 0–255.",
    )
    difference = describe_all(
        "split_difference",
        rate(abs(train.mean_ink - test.mean_ink) / deviation, 0.5, 1),
        f"The mean gray level is {train.mean_ink:.1f} in training and {test.mean_ink:.1f} in test "
        "digits",
        *(len(digits.test), len(digits.test)),
        "Prepare the test digits in the same way as the training digits.",
    )
    means = {
        "images": np.concatenate([train.means, test.means]),
        "labels": np.tile(np.arange(CLASSES, dtype=np.uint8), 2),
        **provenance(mnist),
    }
    return {"findings": [*findings, pixel_range, difference], KEY: lineage_of(mnist)}, means


@with_lineage
def check_duplicates(mnist: Mnist, examples: int) -> Findings:
    """Find exact duplicates within and between splits, and duplicates with different labels."""
    digits, copies = Describer(mnist, examples), find_copies(mnist)
    rows, groups = copies
    in_test = rows >= len(digits.train)
    again = (np.diff(groups, prepend=-1) == 0) & (np.diff(in_test, prepend=False) == 0)
    found = {
        "leaks": (in_test & np.isin(groups, groups[~in_test]), len(digits.test)),
        "conflicting_labels": (have_conflicts(copies, mnist), digits.total),
        "train_duplicates": (again & ~in_test, len(digits.train)),
        "test_duplicates": (again & in_test, len(digits.test)),
    }

    def ends(group: int) -> np.ndarray:  # The last copies of leaked digits are test digits.
        equal = rows[groups == group]
        return equal if len(equal) <= 4 else equal[[0, 1, -2, -1]]

    return {
        "findings": [
            digits.describe(name, rows[mask], of, groups=map(ends, np.unique(groups[mask])))
            for name, (mask, of) in found.items()
        ]
    }


@with_lineage
def check_near_duplicates(mnist: Mnist, examples: int) -> Findings:
    """Find digits that are almost equal, among at most 100,000 digits."""
    digits = Describer(mnist, examples)
    training, test = len(digits.train), len(digits.test)
    tested = spread(test, max(_COMPARED // 2, _COMPARED - training))
    sampled = np.append(spread(training, _COMPARED - len(tested)), training + tested)
    images = concatenate([mnist["x_train"], mnist["x_test"]])[sampled]
    _, different = np.unique(hash_rows(images), return_index=True)
    different.sort()
    pairs = sampled[different[find_near_duplicates(images[different])]]
    between = (pairs[:, 0] < training) != (pairs[:, 1] < training)
    found = {
        "near_leaks": (pairs[between], len(tested)),
        "near_duplicates": (pairs[~between], len(sampled)),
    }
    return {
        "findings": [
            digits.describe(
                *(name, np.unique(close[:, 1]), of),
                groups=close,
                sampled=len(sampled) < digits.total,
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
        mnist: the digits; of a split with more than 250,000 digits, a sample is checked.
        data_quality: number of folds and steps, and the seed.
        training: the training parameters; batch size, number of epochs and seed are replaced.
        network: architecture of the network.

    Returns:
        A table and the findings. The table has a row for each label that is probably wrong, the
        least probable first: ``split``, ``row``, ``label``, ``suggested`` and both probabilities.
    """
    from mnist_kedro.models.cross_validation import train_folds  # noqa: PLC0415  (TensorFlow)

    digits = Describer(mnist, 2 * data_quality.examples)
    train_rows, test_rows = (spread(len(y), _PREDICTED) for y in (digits.train, digits.test))
    train = _load(mnist, mnist["x_train"], digits.train, train_rows)
    test = _load(mnist, mnist["x_test"], digits.test, test_rows)
    recipe = training.model_copy(update={"seed": data_quality.seed, "batch_size": _BATCH})
    statistics = compute_pixel_statistics(train)
    folds = data_quality.folds
    held_out, averages = np.zeros((len(train_rows), CLASSES)), np.zeros((len(test_rows), CLASSES))
    for model, rows in train_folds(train, statistics, recipe, network, folds, data_quality.steps):
        held_out[rows] = probabilities_of(model, train["images"][rows])
        averages += probabilities_of(model, test["images"]) / folds

    predicted = np.concatenate([held_out, averages])
    labels = np.concatenate([train["labels"], test["labels"]])
    split = np.repeat(["train", "test"], [len(held_out), len(averages)])
    wrong = np.append(
        find_label_errors(train["labels"], held_out),
        len(held_out) + find_label_errors(test["labels"], averages),
    )
    wrong = wrong[np.argsort(predicted[wrong, labels[wrong]], kind="stable")]
    others = np.where(np.arange(CLASSES) == labels[wrong, None], 0, predicted[wrong])
    table = pd.DataFrame(
        {
            "split": split[wrong],
            "row": np.append(train_rows, test_rows)[wrong],
            "label": labels[wrong],
            "suggested": others.argmax(axis=1),
            "label_probability": predicted[wrong, labels[wrong]],
            "suggested_probability": others.max(axis=1),
        }
    )
    found = table["row"].to_numpy() + (table["split"] == "test").to_numpy() * len(digits.train)
    suggested = dict(zip(found.tolist(), table["suggested"].tolist(), strict=True))
    finding = digits.describe(
        *("label_errors", found, len(labels)),
        suggested=suggested,
        sampled=len(labels) < digits.total,
    )
    return table, {"findings": [finding]}


@with_lineage
def collect_findings(mnist: Mnist, **checks: Findings) -> dict[str, Any]:
    """Collect the findings of all checks, worst first; log the problems and warnings."""
    findings = sorted(
        chain.from_iterable(check["findings"] for check in checks.values()),
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


def _load(mnist: Mnist, images: ManyPixels, labels: np.ndarray, rows: np.ndarray) -> LabeledImages:
    """Load digits of a split into memory."""
    pixels = np.asarray(select(images, rows))[..., np.newaxis]
    return LabeledImages(images=pixels, labels=labels[rows], **provenance(mnist))
