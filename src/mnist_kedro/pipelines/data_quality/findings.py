"""Describe what the checks found: how bad it is, and what to do about it.

Rows of all digits count the training digits first, then the test digits.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from mnist_kedro.contracts import Mnist

Severity = Literal["problem", "warning", "note", "ok"]
SEVERITIES: tuple[Severity, ...] = ("problem", "warning", "note", "ok")  # the worst first
SPLITS = ("train", "test")

_LISTED = 10_000  # rows of a finding in data_quality.json


class Example(TypedDict):
    """A digit that shows a finding."""

    split: str
    row: int  # in its split
    label: int
    suggested: NotRequired[int]  # the label that the networks predict


class Finding(TypedDict):
    """The result of one check."""

    name: str
    severity: Severity
    sentence: str
    count: int
    of: int  # digits that were checked
    rows: Mapping[str, list[int]]  # by split, the worst first; at most 10,000
    examples: list[list[Example]]  # digits that belong together, such as copies, are in one list
    advice: str  # empty if there is nothing to do


Groups = Sequence[NDArray[np.integer]] | NDArray[np.integer]  # rows to show together
Findings = Mapping[str, Any]  # ``findings``, a list of Finding, and further results of the check


class _Kind(NamedTuple):
    """What is said of digits with something in common; [one|several] depends on their number."""

    sentence: str
    warning: float  # share of the checked digits; a smaller one is only worth a note
    problem: float
    advice: str


_REMOVE = "Remove these digits from your file, and ingest it again with `kedro run`"
_CORRECT = (
    "Look at these digits, the most suspicious first, and correct wrong labels in your file; "
    "`label_errors.csv` lists all of them. A few labels will be right, of digits that are hard to "
    "read."
)
_KINDS = {
    "leaked": _Kind(
        "[test digit equals a training digit|test digits equal training digits]",
        *(0.0, 0.001),
        f"{_REMOVE}: networks are trained on them, so the test accuracy is too high.",
    ),
    "conflicting_labels": _Kind(
        "[digit equals a digit|digits equal digits] with another label",
        *(0.0, 0.001),
        "Correct the labels in your file, or remove all copies: at most one label is right.",
    ),
    "blank": _Kind("[image is|images are] blank", 0.001, 0.01, f"{_REMOVE}."),
    "inverted": _Kind(
        "[digit is|digits are] dark on light, unlike the others",
        *(0.001, 0.01),
        "Replace `image` by `255 - image` in your file: ingestion inverts only whole files.",
    ),
    "filled": _Kind("[image consists|images consist] mostly of ink", 0.001, 0.01, f"{_REMOVE}."),
    "faint": _Kind(
        "[image has|images have] hardly any ink",
        *(0.001, 0.01),
        f"{_REMOVE}, or increase their contrast.",
    ),
    "cut": _Kind(
        "[digit touches|digits touch] the edge of the image",
        *(0.01, 0.1),
        "Parts of these digits may be missing. Crop your images with a margin: MNIST's digits fill "
        "20 × 20 of 28 × 28 pixels.",
    ),
    "off_center": _Kind(
        "[digit is|digits are] more than 3 pixels off center",
        *(0.01, 0.2),
        "Shift each digit so that its center of mass is the center of the image, as in MNIST.",
    ),
    "train_duplicates": _Kind(
        "training [digit is a copy of another|digits are copies of others]",
        *(0.01, 0.1),
        f"{_REMOVE}: a copy may be in the validation split, whose accuracy is then too high.",
    ),
    "test_duplicates": _Kind(
        "test [digit is a copy of another|digits are copies of others]",
        *(0.01, 0.1),
        f"{_REMOVE}: the test accuracy counts them more than once.",
    ),
    "near_leaked": _Kind(
        "test [digit almost equals a training digit|digits almost equal training digits]",
        *(0.0, 0.001),
        f"{_REMOVE} if they are edited copies: networks are trained on nearly the same digits.",
    ),
    "near_duplicates": _Kind(
        "[digit almost equals another|digits almost equal others] of the same split",
        *(0.01, 0.1),
        f"{_REMOVE} if they are edited copies; the training augments digits itself.",
    ),
    "train_label_errors": _Kind(
        "[label of a training digit is|labels of training digits are] probably wrong",
        *(0.003, 0.01),
        _CORRECT,
    ),
    "test_label_errors": _Kind(
        "[label of a test digit is|labels of test digits are] probably wrong",
        *(0.003, 0.01),
        _CORRECT,
    ),
}


def find(
    mnist: Mnist,
    name: str,
    rows: NDArray[np.integer],
    of: int,
    examples: int,
    *,
    groups: Groups | None = None,
    suggested: Mapping[int, int] | None = None,
    among: int | None = None,
) -> Finding:
    """Create the finding that some digits have something in common.

    Args:
        mnist: all digits.
        name: of the finding, which selects what is said.
        rows: rows of the digits, the worst first.
        of: number of digits that were checked.
        examples: largest number of digits to show.
        groups: rows to show together; None: each digit by itself.
        suggested: predicted labels, by row.
        among: number of sampled digits, if not all were checked.
    """
    kind, rows = _KINDS[name], np.asarray(rows, np.int64)
    text = re.sub(r"\[(.*?)\|(.*?)\]", r"\1" if len(rows) == 1 else r"\2", kind.sentence)
    number = f"{len(rows):,}" if len(rows) else "No"
    sampled = f", among {among:,} sampled digits" if among else ""
    listed, training = rows[:_LISTED], len(mnist["y_train"])
    share = len(rows) / of
    severity = rate(share, kind.warning, kind.problem)
    return Finding(
        name=name,
        severity="ok" if not len(rows) else "note" if severity == "ok" else severity,
        sentence=f"{number} {text}{sampled}",
        count=len(rows),
        of=of,
        rows={
            "train": listed[listed < training].tolist(),
            "test": (listed[listed >= training] - training).tolist(),
        },
        examples=_examples(mnist, rows[:, None] if groups is None else groups, examples, suggested),
        advice=kind.advice if len(rows) else "",
    )


def _examples(
    mnist: Mnist, groups: Groups, count: int, suggested: Mapping[int, int] | None
) -> list[list[Example]]:
    """Describe the digits of the first groups, ``count`` digits or one group more."""
    labels = {"train": np.asarray(mnist["y_train"]), "test": np.asarray(mnist["y_test"])}
    shown: list[list[Example]] = []
    for group in groups:
        if sum(map(len, shown)) >= count:
            break
        shown.append([])
        for row in map(int, group):
            split = "train" if row < len(labels["train"]) else "test"
            place = row - (split == "test") * len(labels["train"])
            example = Example(split=split, row=place, label=int(labels[split][place]))
            shown[-1].append({**example, "suggested": suggested[row]} if suggested else example)
    return shown


def measure(
    name: str, severity: Severity, sentence: str, count: int, of: int, advice: str
) -> Finding:
    """Create a finding about a data set as a whole, or about ``count`` of its digits."""
    return Finding(
        name=name,
        severity=severity,
        sentence=sentence,
        count=count,
        of=of,
        rows={split: [] for split in SPLITS},
        examples=[],
        advice="" if severity == "ok" else advice,
    )


def rate(value: float, warning: float, problem: float) -> Severity:
    """Return how bad a value is; below ``warning`` it is ok."""
    return "problem" if value >= problem else "warning" if value >= warning else "ok"
