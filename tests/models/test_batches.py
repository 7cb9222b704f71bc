import numpy as np
import pytest

from mnist_kedro.arrays import Rows
from tests.support.parameters import augmentation, training


def epoch(batches):
    images, labels = zip(*batches.as_numpy_iterator(), strict=True)
    return np.concatenate(images), np.concatenate(labels).argmax(axis=1)


def as_rows(images):
    """As a file of more digits than fit the shuffle buffer is read."""
    rows = Rows(images.shape, np.dtype(np.uint8), lambda start, stop: images[start:stop])
    rows.chunk = 20
    return rows


def batches(digits, number=0, *, from_file=False, **changes):
    import tensorflow as tf

    from mnist_kedro.models.batches import training_batches

    images = as_rows(digits["images"]) if from_file else digits["images"]
    current = tf.Variable(number, dtype=tf.int64)
    options = training(**{"shuffle_buffer": 200 if from_file else 10_000, **changes})
    augmented = options.augmented_epochs(10)
    return training_batches(images, digits["labels"], options, current, augmented)


@pytest.mark.parametrize("from_file", [False, True])
def test_an_epoch_is_every_digit_once_with_its_label(digits, from_file):
    images, labels = epoch(batches(digits, from_file=from_file))
    expected = sorted(
        (i.tobytes(), j) for i, j in zip(digits["images"], digits["labels"], strict=True)
    )
    assert sorted((i.tobytes(), j) for i, j in zip(images, labels, strict=True)) == expected
    assert (labels != digits["labels"]).any()


def test_each_epoch_has_another_order_and_other_variations(digits):
    varied = augmentation(rotation=10, shift=2, zoom=0.1)
    first, second = (epoch(batches(digits, i, augmentation=varied)) for i in (0, 1))
    assert (first[1] != second[1]).any()
    seen = {image.tobytes() for image in first[0]}
    assert not any(image.tobytes() in seen for image in second[0])


def test_the_last_epochs_take_the_digits_as_they_are(digits):
    original = {image.tobytes() for image in digits["images"]}
    options = {"augmentation": augmentation(rotation=10), "unaugmented_fraction": 0.25}  # 2 of 10
    for number, plain in ((7, False), (8, True), (9, True)):
        images, _ = epoch(batches(digits, number, **options))
        assert all(image.tobytes() in original for image in images) == plain


@pytest.mark.parametrize("from_file", [False, True])
def test_the_seed_and_its_number_determine_an_epoch(digits, from_file):
    options = {"augmentation": augmentation(rotation=10, shift=2), "from_file": from_file}
    one, again = (epoch(batches(digits, 3, **options)) for _ in range(2))
    np.testing.assert_array_equal(one[0], again[0])
    np.testing.assert_array_equal(one[1], again[1])
    for other in (batches(digits, 4, **options), batches(digits, 3, seed=1, **options)):
        assert (epoch(other)[0] != one[0]).any()


@pytest.mark.parametrize(("size", "count"), [(300, 2), (800, 1), (1000, 1)])
def test_batches_are_full(digits, size, count):
    shapes = [images.shape[0] for images, _ in batches(digits, batch_size=size).as_numpy_iterator()]
    assert shapes == [min(size, 800)] * count


def test_smoothed_labels_spread_a_share_over_all_digits(digits):
    batch, smoothed = (
        next(batches(digits, label_smoothing=share).as_numpy_iterator())[1] for share in (0, 0.05)
    )
    assert set(np.unique(batch)) == {0, 1}
    np.testing.assert_allclose(smoothed, np.where(batch == 1, 0.955, 0.005), rtol=1e-6)
    np.testing.assert_allclose(smoothed.sum(axis=1), 1, rtol=1e-6)


def test_digits_are_validated_in_their_order(digits):
    from mnist_kedro.models.batches import validation_batches

    for found in (digits["images"], as_rows(digits["images"])):
        batches = validation_batches(found, digits["labels"])
        assert set(np.unique(next(batches.as_numpy_iterator())[1])) == {0, 1}
        images, labels = epoch(batches)
        np.testing.assert_array_equal(images, digits["images"])
        np.testing.assert_array_equal(labels, digits["labels"])
