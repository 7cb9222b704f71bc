"""Describe the findings of the checks, with their severity and advice."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from mnist_kedro.contracts import Mnist

Severity = Literal["problem", "warning", "note", "ok"]
SEVERITIES: tuple[Severity, ...] = ("problem", "warning", "note", "ok")  # worst first

_LISTED = 10_000  # largest number of rows of a finding in data_quality.json


class Example(TypedDict):
    """A digit that is an example of a finding."""

    split: str
    row: int  # row in the split
    label: int
    suggested: NotRequired[int]  # the label that the networks predict


class Finding(TypedDict):
    """The result of one check."""

    name: str
    severity: Severity
    sentence: str
    count: int
    of: int  # number of checked digits
    advice: str
    examples: NotRequired[list[list[Example]]]  # each inner list is shown together
    rows: NotRequired[Mapping[str, list[int]]]  # by split, worst first; at most 10,000


Findings = Mapping[str, Any]  # a list of ``findings``, and further results of a check

_REMOVE = "Remove these digits from your file, and ingest it again with `kedro run`"
_CORRECT = (
    "Look at these digits, the most suspicious first, and correct wrong labels in your file: "
    "`label_errors.csv` lists all. A few of them are correct: the digits are hard to read."
)
# For each kind of finding: the sentence, with [singular|plural] words, the shares of the digits at
# which the finding becomes a warning and a problem, and the advice.
_KINDS: dict[str, tuple[str, float, float, str]] = {
    "leaks": (
        "[test digit equals a training digit|test digits equal training digits]",
        *(0.0, 0.001),
        f"{_REMOVE}: networks are trained on them, so the test accuracy is too high.",
    ),
    "near_leaks": (
        "[test digit almost equals a training digit|test digits almost equal training digits]",
        *(0.0, 0.001),
        f"{_REMOVE} if they are edited copies: networks are trained on nearly the same digits.",
    ),
    "conflicting_labels": (
        "[digit equals a digit|digits equal digits] with another label",
        *(0.0, 0.001),
        "Correct the labels in your file, or remove all copies: at most one label is correct.",
    ),
    "train_duplicates": (
        "training [digit is a copy of another|digits are copies of others]",
        *(0.01, 0.1),
        f"{_REMOVE}: a copy may be in the validation split, whose accuracy is then too high.",
    ),
    "test_duplicates": (
        "test [digit is a copy of another|digits are copies of others]",
        *(0.01, 0.1),
        f"{_REMOVE}: the test accuracy counts them more than once.",
    ),
    "near_duplicates": (
        "[digit almost equals another|digits almost equal others] of the same split",
        *(0.01, 0.1),
        f"{_REMOVE} if they are edited copies; the training augments digits itself.",
    ),
    "blank": ("[image is|images are] blank", 0.001, 0.01, f"{_REMOVE}."),
    "filled": ("[image consists|images consist] mostly of ink", 0.001, 0.01, f"{_REMOVE}."),
    "faint": ("[image has|images have] hardly any ink", 0.001, 0.01, f"{_REMOVE}."),
    "inverted": (
        "[digit is|digits are] dark on light, unlike the others",
        *(0.001, 0.01),
        "Ingest your file again with `ingestion.background: auto`, which inverts such images.",
    ),
    "cut": (
        "[digit touches|digits touch] the edge of the image",
        *(0.01, 0.1),
        "Parts of these digits may be missing. Crop your images with a margin of four pixels.",
    ),
    "off_center": (
        "[digit is|digits are] more than 3 pixels off center",
        *(0.01, 0.2),
        "Shift each digit so that its center of mass is the center of the image, as in MNIST.",
    ),
    "label_errors": (
        "[label is|labels are] probably wrong",
        *(0.003, 0.01),
        _CORRECT,
    ),
}


class Describer:
    """Describe findings about digits; test rows follow the training rows."""

    def __init__(self, mnist: Mnist, examples: int) -> None:
        """Store the labels of ``mnist``, and the largest number of ``examples`` per finding."""
        self.train, self.test = np.asarray(mnist["y_train"]), np.asarray(mnist["y_test"])
        self.total, self._examples = len(self.train) + len(self.test), examples

    def describe(
        self,
        name: str,
        rows: NDArray[np.integer],
        of: int,
        groups: Iterable[NDArray[np.integer]] | None = None,
        suggested: Mapping[int, int] | None = None,
        *,
        sampled: bool = False,
    ) -> Finding:
        """Describe a finding about some digits.

        Args:
            name: name of the finding; it determines the sentence and the advice.
            rows: rows of the digits, worst first.
            of: number of checked digits.
            groups: groups of rows to show together; None: show each digit separately.
            suggested: predicted labels, by row.
            sampled: whether only a sample was checked.
        """
        sentence, warning, problem, advice = _KINDS[name]
        text = re.sub(r"\[(.*?)\|(.*?)\]", r"\1" if len(rows) == 1 else r"\2", sentence)
        severity = rate(len(rows) / of, warning, problem)
        number = f"{len(rows):,}" if len(rows) else "No"
        listed, training = rows[:_LISTED], len(self.train)
        examples: list[list[Example]] = []
        for group in rows[:, None] if groups is None else groups:
            if sum(map(len, examples)) >= self._examples:
                break
            examples.append([self._example(int(row), suggested) for row in group])
        return Finding(
            name=name,
            severity="ok" if not len(rows) else "note" if severity == "ok" else severity,
            sentence=f"{number} {text}" + f", in a sample of {of:,}" * sampled,
            count=len(rows),
            of=of,
            rows={
                "train": listed[listed < training].tolist(),
                "test": (listed[listed >= training] - training).tolist(),
            },
            examples=examples,
            advice=advice,
        )

    def _example(self, row: int, suggested: Mapping[int, int] | None) -> Example:
        if row < len(self.train):
            shown = Example(split="train", row=row, label=int(self.train[row]))
        else:
            row_in_test = row - len(self.train)
            shown = Example(split="test", row=row_in_test, label=int(self.test[row_in_test]))
        return {**shown, "suggested": suggested[row]} if suggested else shown


def describe_all(
    name: str, severity: Severity, sentence: str, count: int, of: int, advice: str
) -> Finding:
    """Create a finding about a whole dataset, or about ``count`` of its digits."""
    return Finding(
        name=name, severity=severity, sentence=sentence, count=count, of=of, advice=advice
    )


def rate(value: float, warning: float, problem: float) -> Severity:
    """Return the severity of a value: ok below ``warning``, a problem from ``problem`` on."""
    return "problem" if value >= problem else "warning" if value >= warning else "ok"
