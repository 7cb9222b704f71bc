"""Store corrections: digits that a network classified, and labels from the people who wrote them.

Each correction is a separate JSON file, whose name is a digest of the digit and its writer. Files
are written atomically, and a repeated correction has the same name. Therefore several servers and
pipelines can use the folder at the same time without a lock.
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
    """A digit with its correct label and the prediction of a network."""

    pixels: str  # base64 of 28 × 28 bytes: the digit in MNIST's format, the network's input
    cutting: str  # base64 of a PNG: the digit cut out of the picture; empty if it was not sent
    label: int  # 0–9, or NO_DIGIT
    answer: dict[str, Any]  # the network's prediction: digit, confidence, is_digit and digit_score
    model: str  # name of the network
    version: str  # version of the exported network
    writer: str  # SHA-256 of a secret that only the writer's browser knows
    time: str  # time of the correction: UTC, ISO 8601


def pixels_of(correction: Correction) -> Pixels:
    """Return the digit of a correction, ``(28, 28)`` uint8."""
    data = base64.b64decode(correction["pixels"], validate=True)
    return np.frombuffer(data, np.uint8).reshape(IMAGE_SIDE, IMAGE_SIDE)


def name_writer(secret: str) -> str:
    """Return the name of a writer: the SHA-256 of the secret, which does not reveal the secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def identify(correction: Correction) -> str:
    """Return the identifier of a correction: a digest of its digit and writer, 32 characters.

    The label is not part of the digest, so a later label for the same digit replaces the earlier
    label.
    """
    content = f"{correction['writer']} {correction['pixels']}"
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def keep_correction(folder: Path, correction: Correction) -> str:
    """Save a correction, unless it is already saved, and return its identifier.

    Raises:
        OSError: if the folder is not writable.
    """
    identifier = identify(correction)
    path = _path(folder, identifier)
    saved = _read(path)
    if saved is not None and saved["label"] == correction["label"]:
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
        folder: folder of the corrections, which need not exist.
        writer: yield only the corrections of this writer; None yields all.
    """
    for path in sorted(folder.glob("[0-9a-f]*.json")):
        correction = _read(path)
        if correction is not None and writer in (None, correction["writer"]):
            yield path.stem, correction


def forget_corrections(folder: Path, writer: str, identifier: str | None = None) -> list[str]:
    """Remove all corrections of a writer or only one; return the removed identifiers."""
    found = [i for i, _ in read_corrections(folder, writer) if identifier in (None, i)]
    for one in found:
        _path(folder, one).unlink(missing_ok=True)
    return found


def count_corrections(folder: Path) -> int:
    """Count the corrections of all writers."""
    return sum(1 for _ in folder.glob("[0-9a-f]*.json"))


def time_now() -> str:
    """Return the current time in UTC, in the format of ``Correction.time``."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _path(folder: Path, identifier: str) -> Path:
    return folder / f"{identifier}.json"


def _read(path: Path) -> Correction | None:
    """Read a correction; return None if the file is missing or invalid."""
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
