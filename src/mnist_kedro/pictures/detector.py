"""Tell digits from everything else with a small network that was trained on simulated photos."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnist_kedro.arrays import blocks
from mnist_kedro.contracts import ManyPixels
from mnist_kedro.pictures.onnx_files import open_onnx

DETECTOR_FILE = Path(__file__).with_name("digit_detector.onnx")
_BATCH = 1000


def score_digits(images: ManyPixels) -> NDArray[np.float32]:
    """Score how much images look like digits.

    Args:
        images: ``(n, 28, 28, 1)`` uint8 in MNIST's form.

    Returns:
        ``(n,)`` in 0–1, 1 a digit.
    """
    session = open_onnx(DETECTOR_FILE)
    scores = np.empty(len(images), np.float32)
    for start, block in blocks(images):
        for first, batch in blocks(block, _BATCH):
            at = start + first
            scores[at : at + len(batch)] = session.run(None, {"pixels": batch})[0][:, 0]
    return scores
