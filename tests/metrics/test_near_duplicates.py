import numpy as np
import pytest

from mnist_kedro.metrics.near_duplicates import find_near_duplicates
from mnist_kedro.sources import read_mnist
from tests.support.parameters import ingestion
from tests.support.paths import FULL_MNIST, needs_full_mnist


def test_the_samples_digits_are_not_nearly_equal(mnist):
    assert len(find_near_duplicates(mnist["x_train"])) == 0


def test_finds_noisy_and_paler_copies(mnist):
    random, images = np.random.default_rng(0), mnist["x_train"].astype(float)
    noisy = (images[:20] + random.normal(0, 5, (20, 28, 28))).clip(0, 255)
    every = np.concatenate([images, noisy, 0.7 * images[50:60]]).astype(np.uint8)
    pairs = find_near_duplicates(every)
    assert {*map(tuple, pairs)} >= {(row, 800 + row) for row in range(20)}
    assert {*map(tuple, pairs)} >= {(50 + row, 820 + row) for row in range(10)}
    assert len(pairs) == 30
    assert {*pairs[0]} <= {*range(50, 60), *range(820, 830)}  # the closest


def test_takes_little_memory_for_many_nearly_equal_digits(mnist):
    noise = np.random.default_rng(0).integers(0, 5, (3000, 28, 28), np.uint8)
    pairs = find_near_duplicates(np.maximum(mnist["x_train"][0], noise))
    assert 3000 / 2 <= len(pairs) <= 3 * 3000
    assert len(np.unique(pairs)) == 3000


@pytest.mark.parametrize("count", [0, 1, 5])
def test_few_or_blank_digits_have_no_near_duplicates(count):
    assert find_near_duplicates(np.zeros((count, 28, 28), np.uint8)).shape == (0, 2)


@needs_full_mnist
@pytest.mark.slow
def test_mnist_has_none():
    mnist = read_mnist(ingestion(FULL_MNIST))
    images = np.concatenate([mnist["x_train"], mnist["x_test"]])
    assert len(find_near_duplicates(images)) == 0
