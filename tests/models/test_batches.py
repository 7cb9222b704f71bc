import numpy as np
import pytest

from mnist_kedro.parameters import AugmentationParameters, TrainingParameters


def augmentation(**amounts):
    """Nothing but what is asked for."""
    names = AugmentationParameters.model_fields
    return AugmentationParameters(**{**dict.fromkeys(names, 0), **amounts})


def parameters(**changes):
    values = {
        "models": ("cnn",),
        "members": 1,
        "epochs": 1,
        "batch_size": 100,
        "shuffle_buffer": 10_000,
        "learning_rate": 0.004,
        "warmup_fraction": 0.25,
        "weight_decay": 0.01,
        "augmentation": augmentation(),
        "unaugmented_fraction": 0,
        "mixed_bfloat16": False,
        "seed": 0,
        "resume": False,
        "tensorboard": False,
    }
    return TrainingParameters(**{**values, **changes})


def epoch(batches):
    images, labels = zip(*batches.as_numpy_iterator(), strict=True)
    return np.concatenate(images), np.concatenate(labels)


def batches(digits, number=0, **changes):
    import tensorflow as tf

    from mnist_kedro.models.batches import training_batches

    current, options = tf.Variable(number, dtype=tf.int64), parameters(**changes)
    augmented = options.augmented_epochs(10)
    return training_batches(digits["images"], digits["labels"], options, current, augmented)


def test_an_epoch_is_every_digit_once_with_its_label(digits):
    images, labels = epoch(batches(digits))
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


def test_the_same_seed_gives_the_same_epochs(digits):
    varied = augmentation(rotation=10, shift=2, zoom=0.1)
    options = {"number": 3, "augmentation": varied}
    one, again, other = (epoch(batches(digits, seed=seed, **options)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one[0], again[0])
    np.testing.assert_array_equal(one[1], again[1])
    assert (one[0] != other[0]).any()


@pytest.mark.parametrize(("size", "count"), [(300, 2), (800, 1), (1000, 1)])
def test_batches_are_full(digits, size, count):
    shapes = [images.shape[0] for images, _ in batches(digits, batch_size=size).as_numpy_iterator()]
    assert shapes == [min(size, 800)] * count
