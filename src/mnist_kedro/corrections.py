"""Store corrections: digits that a network classified, and labels by the people who wrote them.

Each correction is a JSON file of its own in a folder, named by the digit and its writer. So
several servers and pipelines can use the folder at once without a lock: a file is complete when it
appears, and the same correction is never kept twice.
"""

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from mnist_kedro.contracts import CLASSES, IMAGE_SIDE, Pixels

NO_DIGIT = CLASSES  # the label of a picture that shows no digit


class Correction(TypedDict):
    """A digit with the prediction of a network and its correct label."""

    pixels: str  # base64 of 28 × 28 bytes: the digit in MNIST's form, as the network saw it
    cutting: str  # base64 of a PNG: the digit in the picture; empty if it was not sent
    label: int  # 0–9, or NO_DIGIT
    answer: dict[str, Any]  # of the network: digit, confidence, is_digit and digit_score
    model: str  # the network's name
    version: str  # of its export
    writer: str  # SHA-256 of a secret that only the writer's browser knows
    time: str  # when it was kept: UTC, ISO 8601


def pixels_of(correction: Correction) -> Pixels:
    """Return the digit of a correction, ``(28, 28)`` uint8."""
    data = base64.b64decode(correction["pixels"], validate=True)
    return np.frombuffer(data, np.uint8).reshape(IMAGE_SIDE, IMAGE_SIDE)


def name_writer(secret: str) -> str:
    """Return the name of a writer, which does not tell the secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def identify(correction: Correction) -> str:
    """Return the identifier of a correction: 32 hexadecimal digits of its digit and writer.

    A later label for the same digit replaces the earlier one.
    """
    content = f"{correction['writer']} {correction['pixels']}"
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def keep_correction(folder: Path, correction: Correction) -> str:
    """Save a correction, unless the same one is kept already, and return its identifier.

    Raises:
        OSError: if the folder cannot be written.
    """
    identifier = identify(correction)
    path = _path(folder, identifier)
    kept = _read(path)
    if kept is not None and kept["label"] == correction["label"]:
        return identifier
    folder.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(correction, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return identifier


def read_corrections(folder: Path, writer: str | None = None) -> Iterator[tuple[str, Correction]]:
    """Yield the identifiers and corrections of a folder, in the order of the identifiers.

    Args:
        folder: of the corrections; it need not exist.
        writer: yield only those of this writer.
    """
    for path in sorted(folder.glob("[0-9a-f]*.json")):
        correction = _read(path)
        if correction is not None and writer in (None, correction["writer"]):
            yield path.stem, correction


def forget_corrections(folder: Path, writer: str, identifier: str | None = None) -> list[str]:
    """Remove the corrections of a writer, or only one of them; return their identifiers."""
    found = [i for i, _ in read_corrections(folder, writer) if identifier in (None, i)]
    for one in found:
        _path(folder, one).unlink(missing_ok=True)
    return found


def count_corrections(folder: Path) -> int:
    """Count the corrections of all writers."""
    return sum(1 for _ in folder.glob("[0-9a-f]*.json"))


def time_now() -> str:
    """Return the time, in UTC, as corrections have it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _path(folder: Path, identifier: str) -> Path:
    return folder / f"{identifier}.json"


def _read(path: Path) -> Correction | None:
    """Read a correction; None if it is gone, or is none: one bad file never costs the others."""
    try:
        content = json.loads(path.read_bytes())
        pixels_of(content)
        valid = (
            content["label"] in range(NO_DIGIT + 1)
            and content["answer"]["digit"] in range(NO_DIGIT)
            and path.stem == identify(content)
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return content if valid else None
