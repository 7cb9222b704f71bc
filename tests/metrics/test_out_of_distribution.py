import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from mnist_kedro.metrics.out_of_distribution import area_under_roc, out_of_distribution


def test_no_picture_is_a_digit_any_more(digits):
    images = np.asarray(digits["images"])[:50]
    kinds = out_of_distribution(images)
    np.testing.assert_array_equal(kinds["inverted"].astype(int), 255 - images.astype(int))
    flat = [pictures.reshape(50, -1) for pictures in (kinds["scrambled"], images)]
    assert (flat[0] != flat[1]).any(axis=1).all()
    np.testing.assert_array_equal(np.sort(flat[0]), np.sort(flat[1]))
    assert abs(kinds["noise"].mean() - 127.5) < 1
    assert not kinds["blank"].any()
    for pictures in kinds.values():
        assert (pictures.shape[1:], pictures.dtype) == ((28, 28, 1), np.uint8)


def test_the_area_is_scipys_mann_whitney_statistic():
    rng = np.random.default_rng(0)
    digits, others = rng.normal(1, 1, 80).round(1), rng.normal(0, 1, 50).round(1)  # with ties
    expected = mannwhitneyu(digits, others).statistic / (80 * 50)
    assert area_under_roc(digits, others) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("digits", "others", "area"),
    [([0.9, 0.8], [0.1, 0.2], 1.0), ([0.1], [0.9], 0.0), ([0.5, 0.5], [0.5], 0.5)],
)
def test_the_area_by_hand(digits, others, area):
    assert area_under_roc(np.array(digits), np.array(others)) == area
