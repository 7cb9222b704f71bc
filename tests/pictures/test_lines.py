"""Boxes of digits are put into lines, and read from the left."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_kedro.pictures.lines import find_angle, group_lines


def page(lengths, angle, seed):
    """Boxes of lines of digits, turned by an angle, in reading order."""
    random = np.random.default_rng(seed)
    boxes = []
    for line, length in enumerate(lengths):
        for column in range(length):
            height, width = random.integers(40, 56), random.integers(12, 40)
            x, y = 60 * column + random.integers(0, 12), 110 * line + random.integers(0, 8)
            boxes.append((x, y, x + width, y + height))
    left, top, right, bottom = np.array(boxes, float).T
    across, down = (left + right) / 2, (top + bottom) / 2
    cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    moved = np.stack([cos * across - sin * down - across, sin * across + cos * down - down])
    return np.rint(np.array(boxes) + np.concatenate([moved, moved]).T + 500).astype(int)


@given(st.lists(st.integers(3, 9), min_size=1, max_size=4), st.integers(0, 2**32 - 1))
def test_level_lines_are_read_in_order(lengths, seed):
    boxes = page(lengths, 0, seed)
    shuffled = np.random.default_rng(seed).permutation(len(boxes))
    lines = group_lines(boxes[shuffled])
    assert [len(line) for line in lines] == lengths
    assert np.concatenate([shuffled[line] for line in lines]).tolist() == [*range(len(boxes))]


@pytest.mark.parametrize("angle", [-15, -8, -4, 0, 4, 8, 15])
@pytest.mark.parametrize("lengths", [[6], [8, 8], [5, 7, 6]])
def test_the_angle_of_lines_is_found(lengths, angle):
    for seed in range(5):
        assert find_angle(page(lengths, angle, seed)) == pytest.approx(angle, abs=2)


def test_two_boxes_have_no_angle():
    assert find_angle(page([2], 10, 0)) == 0
    assert group_lines(np.zeros((0, 4), int)) == [] or len(group_lines(np.zeros((0, 4), int))) == 1
