"""The network of the package tells digits from letters, scribbles and shapes."""

import numpy as np
import pytest

from mnist_kedro.metrics.picture_calibration import measure_calibration
from mnist_kedro.pictures.detector import score_digits
from mnist_kedro.pictures.digit import prepare_digit
from tests.support.pictures import letter


@pytest.fixture(scope="module")
def threshold(digits):
    labels = np.asarray(digits["labels"])
    scores = score_digits(digits["images"])
    return measure_calibration(scores, labels, np.eye(10)[labels])["digit_threshold"]


def flagged(pictures, threshold):
    pixels = np.stack([prepare_digit(picture) for picture in pictures])
    return float(np.mean(score_digits(pixels[..., np.newaxis]) < threshold))


def test_printed_letters_are_flagged(threshold):
    letters = [letter(c) for c in "ACDEFGHJKLMNPQRTUVWXYadefhkmnprtuvwxy"]
    assert flagged(letters, threshold) >= 0.85


def test_shapes_are_flagged(threshold):
    pictures = []
    for side in range(30, 70, 4):
        y, x = np.indices((100, 100)) - 50
        for shape in (
            np.maximum(abs(x), abs(y)) < side / 2,
            (abs(x) < 4) | (abs(y) < 4),
            abs(abs(x) - abs(y)) < 5,
        ):
            thick = shape & (np.maximum(abs(x), abs(y)) < side / 2)
            inside = thick & (np.maximum(abs(x), abs(y)) < side / 2 - 6) & (side % 8 == 6)
            pictures.append(np.where(thick & ~inside, 40, 220).astype(np.uint8))
    assert flagged(pictures, threshold) >= 0.9


def test_large_digits_in_photos_are_not_flagged(digits, threshold):
    images = np.asarray(digits["images"])[:200, ..., 0]
    photos = [np.pad(220 - 0.7 * np.kron(i, np.ones((3, 3))), 20, "edge") for i in images]
    assert flagged([photo.astype(np.uint8) for photo in photos], threshold) < 0.05


def test_scores_do_not_depend_on_the_batch(digits):
    images = np.asarray(digits["images"])[:30]
    alone = np.concatenate([score_digits(image[np.newaxis]) for image in images])
    np.testing.assert_allclose(score_digits(images), alone, atol=1e-5)
    assert score_digits(images[:0]).shape == (0,)
