"""Simulated pictures of digits show that digit; other marks are many things."""

import numpy as np
import pytest

from mnist_kedro.paper.examples import make_digit, make_non_digit, photograph_digit
from mnist_kedro.paper.marks import write_non_digit


@pytest.fixture(scope="module")
def images(digits):
    return np.asarray(digits["images"])[..., 0]


def test_most_photographed_digits_are_read_rightly(trained, images, digits):
    random = np.random.default_rng(0)
    found = [photograph_digit(image, random) for image in images[:200]]
    kept = [i for i, pixels in enumerate(found) if pixels is not None]
    assert len(kept) > 100
    pixels = np.stack([found[i] for i in kept])
    assert pixels.dtype == np.uint8
    read = trained.predict(pixels[..., np.newaxis], verbose=0).argmax(axis=1)
    assert np.mean(read == digits["labels"][kept]) > 0.6  # it was trained on 800 digits


def test_a_blank_image_cannot_be_photographed():
    blank = np.zeros((28, 28), np.uint8)
    assert photograph_digit(blank, np.random.default_rng(0)) is None


@pytest.mark.parametrize("level", [1, 40, 255])
def test_a_single_pixel_can_be_photographed(level):
    """Users may bring such images."""
    dot = np.zeros((28, 28), np.uint8)
    dot[14, 14] = level
    for seed in range(20):
        photograph_digit(dot, np.random.default_rng(seed))


@pytest.mark.parametrize("make", [make_digit, make_non_digit])
def test_examples_have_the_form_of_mnist(images, make):
    made = np.stack([make(images, np.random.default_rng(seed)) for seed in range(60)])
    assert made.shape == (60, 28, 28)
    assert made.dtype == np.uint8
    assert (made.reshape(60, -1).max(axis=1) > 200).all()
    again = make(images, np.random.default_rng(5))
    np.testing.assert_array_equal(made[5], again)


def test_marks_have_ink_up_to_their_borders(images):
    random = np.random.default_rng(1)
    for _ in range(100):
        ink = write_non_digit(images, random, 60, 2.5)
        assert ink.dtype == np.float32
        assert 0 <= ink.min() <= ink.max() <= 1
        assert ink.max() > 0
