"""Store the promotion decisions, which determine the exported model that is served.

Each decision is a version of the dataset ``promotion``, ``06_models/promotion.json``, and is never
changed. The latest decision that promotes a model determines the served model.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict

from mnist_kedro.origin import describe_origin
from mnist_kedro.versions import find_versions, version_path

FILE = "promotion.json"


class Promotion(TypedDict, total=False):
    """A decision whether an exported model is promoted."""

    model: str  # name of the model, such as cnn
    version: str  # version of the exported model
    trained: str | None  # version of the Keras model, <model>.model; None if unknown
    promoted: bool
    reason: str
    by: str  # what decided: ``export``, ``teaching``, or a command of the web app
    validation_accuracy: float
    validation_digits: int
    served: dict[str, str] | None  # model and version served before this decision
    comparison: dict[str, Any] | None  # results of both models on the same validation digits
    teaching: dict[str, Any]  # of a fine-tuned network: gains and losses of accuracy


def describe_accuracy(description: Mapping[str, Any]) -> str:
    """Describe an exported model's accuracy and test digits, according to its description."""
    try:
        accuracy, digits = f"{description['accuracy']:.2%}", f"{description['test_digits']:,}"
        return f"{accuracy} of {digits} test digits ({describe_origin(description['data'])})"
    except (KeyError, TypeError, ValueError):
        return "unknown accuracy"


def read_decisions(folder: Path) -> Iterator[Promotion]:
    """Yield all readable decisions in a folder of models, the latest first."""
    for version in find_versions(folder / FILE):
        try:
            yield json.loads(version_path(folder / FILE, version).read_bytes())
        except (OSError, ValueError):  # missing or corrupt; the decision before it is valid
            continue


def read_promoted(folder: Path) -> Iterator[Promotion]:
    """Yield the decisions that promoted a model, the latest first."""
    return (decision for decision in read_decisions(folder) if decision["promoted"])


def read_history(folder: Path) -> list[tuple[str, str]]:
    """Return the promoted models without those that were rolled back.

    Returns:
        Names and versions; the current model is the last.
    """
    models: list[tuple[str, str]] = []
    for decision in reversed([*read_promoted(folder)]):
        if decision["by"] == "rollback" and models:
            models.pop()
        model = decision["model"], decision["version"]
        if model not in models[-1:]:
            models.append(model)
    return models


def save_decision(folder: Path, decision: Promotion) -> None:
    """Save a decision atomically, as the latest version."""
    path = _new_version(folder / FILE)
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(decision, file, indent=2, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _new_version(path: Path) -> Path:
    """Create the folder of a new version; like Kedro's, it is named by the time in ms."""
    while True:
        version = datetime.now(UTC).strftime("%Y-%m-%dT%H.%M.%S.%f")[:-3] + "Z"
        new = version_path(path, version)
        try:
            new.parent.mkdir(parents=True)
        except FileExistsError:
            time.sleep(0.001)
        else:
            return new
