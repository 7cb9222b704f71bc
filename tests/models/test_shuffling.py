"""Digits of a file are shuffled as well as a buffer allows, and each is seen once an epoch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare, kstest

from mnist_kedro.arrays import Rows
from mnist_kedro.models.shuffling import shuffled_batches
from tests.models.test_batches import augmentation, epoch, parameters


def rows_of(count, chunk=1):
    """An array whose rows say where they lie."""
    made = Rows((count, 1), np.dtype(np.int64), lambda start, stop: np.arange(start, stop)[:, None])
    made.chunk = chunk
    return made


def order(count, chunk, size, buffer, seed=0):
    labels = (np.arange(count) * 10 // count).astype(np.uint8)  # as if sorted by class
    random = np.random.default_rng(seed)
    drawn = [*shuffled_batches(rows_of(count, chunk), labels, size, buffer, random)]
    for rows, digits in drawn:
        np.testing.assert_array_equal(digits, labels[rows[:, 0]])
    return np.array([rows[:, 0] for rows, _ in drawn])


@given(
    count=st.integers(1, 300),
    chunk=st.integers(1, 40),
    size=st.integers(1, 50),
    buffer=st.integers(1, 400),
)
def test_each_digit_is_drawn_once_at_most_and_batches_are_full(count, chunk, size, buffer):
    drawn = order(count, chunk, size, buffer)
    assert drawn.size == count // size * size
    assert len(np.unique(drawn)) == drawn.size
    assert not drawn.size or drawn.shape == (count // size, size)


def test_the_seed_decides_the_order():
    one, again, other = (order(1000, 10, 10, 300, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_any_digit_may_come_at_any_time():
    """Over many epochs the first digit's place is uniform over the epoch."""
    places = [int(np.argmax(order(1000, 10, 10, 300, seed).ravel() == 0)) for seed in range(300)]
    assert kstest(np.array(places) / 1000, "uniform").pvalue > 0.001


def test_neighbours_are_taken_apart():
    """In a file that is sorted by class, batches are as mixed as of a random choice of pieces."""
    count, chunk, buffer = 100_000, 50, 10_000
    classes = order(count, chunk, 500, buffer) * 10 // count
    shares = np.array([np.bincount(batch, minlength=10) / 500 for batch in classes])
    pieces = buffer / chunk
    expected = np.sqrt(0.1 * 0.9 * (1 / pieces * (1 - buffer / count) + 1 / 500))
    assert shares.std() == pytest.approx(expected, rel=0.15)
    # Within a buffer nothing is left of the order of the file.
    first = classes[: buffer // 500]
    share = np.bincount(first.ravel(), minlength=10) * 500 / first.size
    assert np.mean([chisquare(np.bincount(b, minlength=10), share).pvalue for b in first]) > 0.3


def from_file(digits, number=0, **changes):
    import tensorflow as tf

    from mnist_kedro.models.batches import training_batches

    images = Rows(digits["images"].shape, np.dtype(np.uint8), lambda a, b: digits["images"][a:b])
    images.chunk = 20
    options = parameters(**{"shuffle_buffer": 200, **changes})
    current = tf.Variable(number, dtype=tf.int64)
    augmented = options.augmented_epochs(10)
    return training_batches(images, digits["labels"], options, current, augmented)


def test_an_epoch_from_a_file_is_every_digit_once_with_its_label(digits):
    images, labels = epoch(from_file(digits))
    expected = sorted(
        (i.tobytes(), j) for i, j in zip(digits["images"], digits["labels"], strict=True)
    )
    assert sorted((i.tobytes(), j) for i, j in zip(images, labels, strict=True)) == expected
    assert (labels != digits["labels"]).any()


def test_epochs_from_a_file_follow_from_the_seed_and_their_number(digits):
    varied = {"augmentation": augmentation(rotation=10, shift=2)}
    one, again = (epoch(from_file(digits, 3, **varied)) for _ in range(2))
    np.testing.assert_array_equal(one[0], again[0])
    for other in (from_file(digits, 4, **varied), from_file(digits, 3, seed=1, **varied)):
        assert (epoch(other)[0] != one[0]).any()


def test_digits_are_validated_in_their_order(digits):
    from mnist_kedro.models.batches import validation_batches

    rows = Rows(digits["images"].shape, np.dtype(np.uint8), lambda a, b: digits["images"][a:b])
    for found in (digits["images"], rows):
        images, labels = epoch(validation_batches(found, digits["labels"]))
        np.testing.assert_array_equal(images, digits["images"])
        np.testing.assert_array_equal(labels, digits["labels"])
