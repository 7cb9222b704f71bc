"""Corrections, as the web app keeps them."""

import base64

import numpy as np

from mnist_kedro.contracts import Pixels
from mnist_kedro.corrections import Correction, keep_correction, name_writer, time_now

SECRET = "0123456789abcdef"


def correction(
    digit: int | Pixels, label: int, writer: str = SECRET, answer: int = 0
) -> Correction:
    """A correction of a digit; of a number, it is some digit that no other number has."""
    if isinstance(digit, int):
        digit = np.random.default_rng(digit).integers(0, 256, (28, 28), np.uint8)
    return Correction(
        pixels=base64.b64encode(digit.tobytes()).decode(),
        cutting="",
        label=label,
        answer={"digit": answer, "confidence": 0.5, "is_digit": True, "digit_score": 0.9},
        model="cnn",
        version="2026-01-01T00.00.00.000Z",
        writer=name_writer(writer),
        time=time_now(),
    )


def keep_all(folder, images, labels, writer: str = SECRET) -> None:
    """Keep corrections of digits ``(n, 28, 28)``."""
    for image, label in zip(images, labels, strict=True):
        keep_correction(folder, correction(image, int(label), writer))
