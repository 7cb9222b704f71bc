import numpy as np
import pytest

from mnist_kedro.arrays import Rows
from mnist_kedro.metrics import duplicates
from mnist_kedro.metrics.duplicates import count_duplicates, find_copies, hash_rows, have_conflicts

NOTHING = {"train": 0, "test": 0, "leaked": 0, "conflicting": 0}


def changed(mnist, **arrays):
    return {**mnist, **arrays}


@pytest.fixture
def copied(mnist):
    """Row 0 is also in rows 5 and 9; row 1 leaks twice; row 2 has a copy with another label."""
    x_train, y_train = mnist["x_train"].copy(), mnist["y_train"].copy()
    x_test, y_test = mnist["x_test"].copy(), mnist["y_test"].copy()
    for images, labels, to, source in (
        (x_train, y_train, [5, 9, 700], [0, 0, 2]),
        (x_test, y_test, [3, 4], [1, 1]),
    ):
        images[to], labels[to] = x_train[source], y_train[source]
    y_train[700] = (y_train[2] + 1) % 10
    return changed(mnist, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)


def lazy(images):
    return Rows(images.shape, images.dtype, lambda start, stop: images[start:stop])


def test_the_samples_digits_are_all_different(mnist):
    assert count_duplicates(mnist) == NOTHING


def test_counts_copies_in_the_splits_and_between_them(copied):
    expected = {"train": 3, "test": 1, "leaked": 2, "conflicting": 2}
    assert count_duplicates(copied) == expected
    streamed = changed(copied, x_train=lazy(copied["x_train"]), x_test=lazy(copied["x_test"]))
    assert count_duplicates(streamed) == expected


def test_copies_are_grouped_training_digits_first(copied):
    copies = find_copies(copied)
    groups = {tuple(copies.rows[copies.groups == group]) for group in set(copies.groups)}
    assert groups == {(0, 5, 9), (1, 803, 804), (2, 700)}
    assert set(copies.rows[have_conflicts(copies, copied)]) == {2, 700}


def test_different_digits_with_the_same_hash_are_no_copies(copied, monkeypatch):
    monkeypatch.setattr(duplicates, "hash_rows", lambda images: np.zeros(len(images), np.int64))
    different = changed(copied, x_train=copied["x_train"][2:4], y_train=copied["y_train"][2:4])
    assert count_duplicates(changed(different, x_test=copied["x_test"][5:7])) == NOTHING


@pytest.mark.parametrize("verified", [0, 100_000])
def test_blank_images_are_no_copies(mnist, monkeypatch, verified):
    monkeypatch.setattr(duplicates, "_VERIFIED", verified)
    x_train = mnist["x_train"].copy()
    x_train[:5] = 0
    assert count_duplicates(changed(mnist, x_train=x_train)) == NOTHING


def test_a_hash_depends_on_each_pixel(mnist):
    image = mnist["x_train"][:1]
    others = np.repeat(image, 784, axis=0).reshape(784, 784)
    others[np.arange(784), np.arange(784)] ^= 1
    hashes = hash_rows(np.concatenate([image, others.reshape(-1, 28, 28)]))
    assert len(set(hashes.tolist())) == 785
