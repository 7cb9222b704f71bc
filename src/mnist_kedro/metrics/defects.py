"""Find defective digits, which cannot be recognized or are not in MNIST's format."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_kedro.arrays import blocks
from mnist_kedro.contracts import CLASSES, IMAGE_SIDE, Labels, ManyPixels, Pixels

_BRIGHT = 128  # gray level
_CONTRAST = 32  # gray levels; noise on a blank image has less
_FAINT = 3  # mean gray level; MNIST's thinnest digit has 6.5
_EDGE_PIXELS = 4  # bright pixels at the edge; only 3 of MNIST's 70,000 digits have 4
_NEAR_CENTER, _OFF_CENTER = 1.5, 3.0  # pixels; MNIST's digits are at most 1.41 from the center
DEFECTS = ("blank", "inverted", "filled", "faint", "cut", "off_center")

_Y, _X = (grid.reshape(-1) - (IMAGE_SIDE - 1) / 2 for grid in np.indices(2 * (IMAGE_SIDE,)))
_EDGE = np.maximum(abs(_Y), abs(_X)) > IMAGE_SIDE / 2 - 1
_SUMS = np.stack([np.ones_like(_Y), _EDGE, _Y, _X], axis=1).astype(np.float32)


class Inspection(NamedTuple):
    """The results of :func:`inspect_digits`."""

    defects: dict[str, NDArray[np.int64]]  # rows by the name of the defect, at most one per row
    means: Pixels  # the mean image of each class, (10, 28, 28); 0 for a class without digits
    lowest: int  # lowest and highest gray level of all pixels
    highest: int
    mean_ink: float  # mean and standard deviation of the digits' mean gray levels
    ink_deviation: float


def inspect_digits(images: ManyPixels, labels: Labels) -> Inspection:
    """Find defects, and average the digits of each class, in one pass over the pixels.

    Args:
        images: ``(n, 28, 28)`` uint8 in 0–255, n ≥ 1.
        labels: ``(n,)`` integers in 0–9.
    """
    found: dict[str, list[NDArray[np.int64]]] = {name: [] for name in DEFECTS}
    totals = np.zeros((CLASSES, IMAGE_SIDE**2))
    ink: list[NDArray[np.floating]] = []
    lowest, highest = 255, 0
    for start, block in blocks(images):
        pixels = block.reshape(len(block), -1)
        values = pixels.astype(np.float32)
        classes = np.eye(CLASSES, dtype=np.float32)[labels[start : start + len(block)]]
        totals += classes.T @ values  # exact, below 2**24
        sums = values @ _SUMS
        ink.append(sums[:, 0] / IMAGE_SIDE**2)
        lowest, highest = min(lowest, int(pixels.min())), max(highest, int(pixels.max()))
        for name, rows in _find_defects(pixels, sums).items():
            found[name].append(start + rows)
    counts = np.maximum(np.bincount(labels, minlength=CLASSES), 1)
    means = (totals / counts[:, None]).round().astype(np.uint8)
    all_ink = np.concatenate(ink)
    return Inspection(
        defects={name: np.concatenate(rows) for name, rows in found.items()},
        means=means.reshape(CLASSES, IMAGE_SIDE, IMAGE_SIDE),
        lowest=lowest,
        highest=highest,
        mean_ink=float(all_ink.mean(dtype=np.float64)),
        ink_deviation=float(all_ink.std(dtype=np.float64)),
    )


def _find_defects(pixels: Pixels, sums: NDArray[np.float32]) -> dict[str, NDArray[np.int64]]:
    """Return the rows of each defect in ``(n, 784)`` pixels; of several, count the first."""
    ink, edge, down, right = sums.T
    offset = np.hypot(down, right) / np.maximum(ink, 1)
    touching = (pixels[:, _EDGE] >= _BRIGHT).sum(axis=1)
    masks = (
        pixels.max(axis=1) - pixels.min(axis=1) < _CONTRAST,
        edge >= _BRIGHT * _EDGE.sum(),
        ink >= _BRIGHT * IMAGE_SIDE**2,
        ink < _FAINT * IMAGE_SIDE**2,
        touching >= np.where(offset > _NEAR_CENTER, 1, _EDGE_PIXELS),
        offset > _OFF_CENTER,
    )
    first = np.argmax(np.stack([*masks, np.ones(len(pixels), bool)]), axis=0)
    return {name: np.flatnonzero(first == number) for number, name in enumerate(DEFECTS)}
