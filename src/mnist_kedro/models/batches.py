"""Batches of varied training digits."""

import tensorflow as tf

from mnist_kedro.contracts import Labels, Pixels
from mnist_kedro.models.augmentation import augment
from mnist_kedro.parameters import TrainingParameters


def training_batches(
    images: Pixels, labels: Labels, parameters: TrainingParameters
) -> tf.data.Dataset:
    """Shuffled and augmented batches, new ones in every epoch, the same ones for the same seed.

    The pixels stay bytes until they are inside the network. Digits that do not fill the last batch
    of an epoch wait for another epoch's shuffle.

    Args:
        images: ``(n, 28, 28, 1)`` uint8.
        labels: ``(n,)`` uint8.
        parameters: batch size, augmentation and seed.

    Returns:
        Pairs of ``(batch, 28, 28, 1)`` and ``(batch,)``, both uint8.
    """
    pixels, digits = tf.constant(images), tf.constant(labels)
    size = min(parameters.batch_size, len(labels))
    rows = tf.data.Dataset.range(len(labels)).shuffle(len(labels), seed=parameters.seed)
    seeds = tf.data.Dataset.random(seed=parameters.seed, rerandomize_each_iteration=True)

    def batch(rows: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        varied = augment(tf.gather(pixels, rows), seed, parameters.augmentation)
        return varied, tf.gather(digits, rows)

    options = tf.data.Options()
    # There is nothing to tune here, and the tuner's thread took up to 9 s to end after an epoch.
    options.autotune.enabled = False
    return (
        tf.data.Dataset.zip(rows.batch(size, drop_remainder=True), seeds.batch(2))
        .map(batch)
        .prefetch(2)
        .with_options(options)
    )
