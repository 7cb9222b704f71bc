"""Simulated pages look like photos, and say where their ink is."""

import numpy as np
import pytest

from mnist_kedro.paper.handwriting import draw, draw_digit, find_middle, trace, write_line
from mnist_kedro.paper.page import make_page


@pytest.fixture(scope="module")
def images(digits):
    return np.asarray(digits["images"])[..., 0]


@pytest.fixture(scope="module")
def pages(images):
    random = np.random.default_rng(0)
    return [make_page(images, 128, random) for _ in range(150)]


def test_pages_are_photos_with_ink(pages):
    for picture, ink in pages:
        assert picture.dtype == np.uint8
        assert picture.shape == ink.shape
        assert max(picture.shape) == 128
        assert 0 <= ink.min() <= ink.max() <= 1
    written = np.mean([ink.max() > 0.5 for _, ink in pages])
    assert 0.85 < written < 1  # the others are blank
    assert 0.005 < np.mean([ink.mean() for _, ink in pages]) < 0.2


def test_ink_differs_from_the_paper_around_it(pages):
    """On most pages: faint ink on dark paper may not."""
    differences = []
    for picture, ink in pages:
        if (ink > 0.9).sum() > 50:
            paper = np.median(picture[ink == 0])
            differences.append(abs(np.median(picture[ink > 0.9]) - paper))
    assert np.median(differences) > 20


def test_the_same_seed_makes_the_same_page(images):
    one, other = (make_page(images, 96, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(one.picture, other.picture)
    np.testing.assert_array_equal(one.ink, other.ink)


def test_a_digit_is_written_again_with_another_pen(images):
    thin, thick = (trace(find_middle(images[0], 100), pen) for pen in (1, 6))
    assert thin.max() == thick.max() == 1
    assert 3 * thin.sum() < thick.sum()
    assert 90 < max(thin.shape) < max(thick.shape) < 125


def test_a_line_of_digits_is_within_its_box(images):
    for seed in range(20):
        ink, (left, top, right, bottom) = write_line(
            images, (200, 256), np.random.default_rng(seed)
        )
        rows, columns = np.nonzero(ink)
        assert left <= columns.min() <= columns.max() < right
        assert top <= rows.min() <= rows.max() < bottom


def test_drawn_digits_are_connected_lines(images):
    for seed in range(20):
        mask = draw(draw_digit(np.random.default_rng(seed)), (60, 40))
        assert mask.shape == (60, 40)
        assert 40 < mask.sum() < 400
