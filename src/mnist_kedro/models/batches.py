"""Batches of varied training digits."""

import tensorflow as tf

from mnist_kedro.contracts import Labels, Pixels
from mnist_kedro.models.augmentation import augment
from mnist_kedro.parameters import TrainingParameters


def training_batches(
    images: Pixels,
    labels: Labels,
    parameters: TrainingParameters,
    epoch: tf.Variable,
    augmented_epochs: int,
) -> tf.data.Dataset:
    """Shuffled and augmented batches that follow from the seed and the epoch alone.

    So a training that is resumed sees the digits that it would have seen. The pixels stay bytes
    until they are inside the network. Digits that do not fill the last batch of an epoch wait for
    another epoch's shuffle.

    Args:
        images: ``(n, 28, 28, 1)`` uint8.
        labels: ``(n,)`` uint8.
        parameters: batch size, augmentation and seed.
        epoch: the epoch, int64 from 0, read while an iteration goes on.
        augmented_epochs: the first so many. In those after them the digits are not varied, so
            that the training ends on such as are to be classified (Touvron et al. 2019,
            arXiv:1906.06423).

    Returns:
        Pairs of ``(batch, 28, 28, 1)`` and ``(batch,)``, both uint8.
    """
    pixels, digits = tf.constant(images), tf.constant(labels)
    size = min(parameters.batch_size, len(labels))
    steps = len(labels) // size

    # AutoGraph has nothing to do here, and takes 0.3 s to find that out.
    @tf.autograph.experimental.do_not_convert
    def shuffled_rows(_: tf.Tensor) -> tf.data.Dataset:
        seed = tf.stack([tf.constant(parameters.seed, tf.int64), epoch])
        order = tf.random.experimental.stateless_shuffle(tf.range(len(labels)), seed)
        rows = tf.reshape(order[: steps * size], (steps, size))
        seeds = tf.random.split(seed, steps)
        return tf.data.Dataset.from_tensor_slices((rows, seeds))

    @tf.autograph.experimental.do_not_convert
    def batch(rows: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        plain = tf.gather(pixels, rows)
        varied = tf.cond(
            epoch < augmented_epochs,
            lambda: augment(plain, seed, parameters.augmentation),
            lambda: plain,
        )
        return varied, tf.gather(digits, rows)

    options = tf.data.Options()
    # There is nothing to tune here, and the tuner's thread took up to 9 s to end after an epoch.
    options.autotune.enabled = False
    return (
        tf.data.Dataset.range(1)
        .flat_map(shuffled_rows)
        .apply(tf.data.experimental.assert_cardinality(steps))  # for the progress bar
        .map(batch)
        .prefetch(2)
        .with_options(options)
    )
