"""Remember which exported model is served: the promoted one.

Each decision is a version of the dataset ``promotion``, ``06_models/promotion.json``, and is never
changed. The model of the latest decision that promotes one is served.
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
    """A decision about one exported model."""

    model: str  # its name, such as cnn
    version: str  # of the export
    trained: str | None  # version of the Keras model, <model>.model; None if it is unknown
    promoted: bool
    reason: str
    by: str  # ``export``, ``teaching``, or the command of the web app
    validation_accuracy: float
    validation_digits: int
    served: dict[str, str] | None  # model and version that were served before
    comparison: dict[str, Any] | None  # of both models on the same validation digits
    teaching: dict[str, Any]  # of a network that was taught: what it gained and lost


def describe_accuracy(description: Mapping[str, Any]) -> str:
    """Describe the accuracy in the description of an exported model, and its digits."""
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
        except (OSError, ValueError):  # removed or damaged; the one before is still true
            continue


def read_promoted(folder: Path) -> Iterator[Promotion]:
    """Yield the decisions that promoted a model, the latest first."""
    return (decision for decision in read_decisions(folder) if decision["promoted"])


def read_history(folder: Path) -> list[tuple[str, str]]:
    """Return the promoted models, the current one last, without those that were rolled back.

    Returns:
        Names and versions.
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
    """Save a decision as the latest version; readers see all of it or nothing."""
    path = _new_version(folder / FILE)
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(decision, file, indent=2, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _new_version(path: Path) -> Path:
    """Create the folder of a new version, named by the time in milliseconds, as Kedro does."""
    while True:
        version = datetime.now(UTC).strftime("%Y-%m-%dT%H.%M.%S.%f")[:-3] + "Z"
        new = version_path(path, version)
        try:
            new.parent.mkdir(parents=True)
        except FileExistsError:
            time.sleep(0.001)
        else:
            return new
