"""Strokes of one digit are told from digits side by side."""

import numpy as np
import pytest

from mnist_kedro.pictures.digit import prepare


def two_bars(gap, height=60):
    """Two upright strokes."""
    picture = np.full((120, 160), 235, np.uint8)
    picture[30 : 30 + height, 50:58] = picture[30 : 30 + height, 58 + gap : 66 + gap] = 40
    return picture


@pytest.mark.parametrize(("gap", "several"), [(3, False), (6, False), (15, True), (40, True)])
def test_strokes_that_nearly_touch_are_one_digit(gap, several):
    prepared = prepare(two_bars(gap))
    assert prepared.several is several
    width = np.flatnonzero(prepared.pixels.any(axis=0)).size
    assert (width < 5) is several  # one bar, or both


def test_a_speck_is_not_another_digit():
    picture = two_bars(0)
    picture[100:104, 110:114] = 40
    assert prepare(picture).several is False
