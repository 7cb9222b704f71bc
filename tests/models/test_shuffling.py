"""Digits of a file are shuffled as well as a buffer allows, and each is seen once an epoch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare, kstest

from mnist_kedro.arrays import Rows
from mnist_kedro.models.shuffling import shuffled_batches


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
