"""What is too wide for a digit is cut where it crosses the least ink."""

import numpy as np
import pytest

from mnist_kedro.pictures.touching import separate


def rings(count, side=40, width=6, overlap=2):
    """Zeros side by side that touch."""
    down, right = np.indices((side, side)) - side / 2 + 0.5
    ring = (np.abs(np.hypot(down, right) - side / 2 + width / 2) < width / 2).astype(np.float32)
    ink = np.zeros((side, count * (side - overlap) + overlap), np.float32)
    for number in range(count):
        left = number * (side - overlap)
        np.maximum(ink[:, left : left + side], ring, out=ink[:, left : left + side])
    return ink


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_touching_zeros_are_cut_between_them(count):
    ink = rings(count)
    parts = separate(ink, len(ink))
    assert len(parts) == count
    np.testing.assert_array_equal(sum(parts), ink)  # no ink is lost or doubled
    for number, part in enumerate(parts):
        middle = np.flatnonzero(part.any(axis=0)).mean()
        assert middle == pytest.approx(19.5 + 38 * number, abs=3)


def test_nothing_is_not_cut():
    empty = np.zeros((20, 90), np.float32)
    (part,) = separate(empty, 20)
    assert part is empty
