"""Faults in digits, each of a kind that real data sets have."""

from typing import Any

import numpy as np


def flip_labels(labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Replace a share of the labels by other classes; return all labels, and the changed rows."""
    random = np.random.default_rng(seed)
    rows = random.choice(len(labels), round(share * len(labels)), replace=False)
    flipped = labels.copy()
    flipped[rows] = (labels[rows] + random.integers(1, 10, len(rows))) % 10
    return flipped, rows


def copy_digits(mnist: Any, into: str, rows: slice, source: slice, relabel: int = 0) -> None:
    """Overwrite digits of a split by training digits, with labels that are ``relabel`` too high."""
    mnist[f"x_{into}"][rows] = mnist["x_train"][source]
    mnist[f"y_{into}"][rows] = (mnist["y_train"][source] + relabel) % 10


def cut(images: np.ndarray) -> np.ndarray:
    """Move digits up by 10 pixels, so that their upper half is outside."""
    moved = np.roll(images, -10, axis=1)
    moved[:, -10:] = 0
    return moved
