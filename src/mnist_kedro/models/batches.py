"""Batches of digits, varied to train on and as they are to validate on."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from mnist_kedro.arrays import Rows, blocks
from mnist_kedro.contracts import IMAGE_SIDE, Labels, ManyPixels, Pixels
from mnist_kedro.models.augmentation import augment
from mnist_kedro.models.shuffling import shuffled_batches
from mnist_kedro.parameters import TrainingParameters

_VALIDATION_BATCH = 1000


def training_batches(
    images: ManyPixels,
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
        images: ``(n, 28, 28, 1)`` uint8; of :class:`~mnist_kedro.arrays.Rows` no more than
            ``parameters.shuffle_buffer`` are in memory at a time, and as many that are read for
            later, see :func:`~mnist_kedro.models.shuffling.shuffled_batches`.
        labels: ``(n,)`` uint8.
        parameters: batch size, shuffle buffer, augmentation and seed.
        epoch: the epoch, int64 from 0, read while an iteration goes on.
        augmented_epochs: the first so many. In those after them the digits are not varied, so
            that the training ends on such as are to be classified (Touvron et al. 2019,
            arXiv:1906.06423).

    Returns:
        Pairs of ``(batch, 28, 28, 1)`` and ``(batch,)``, both uint8.
    """
    size = min(parameters.batch_size, len(labels))
    steps = len(labels) // size
    if isinstance(images, Rows):
        plain = _from_file(images, labels, size, parameters, epoch)
    else:
        plain = _from_memory(images, labels, size, parameters, epoch)

    # AutoGraph has nothing to do here, and takes 0.3 s to find that out.
    @tf.autograph.experimental.do_not_convert
    def seeds(_: tf.Tensor) -> tf.data.Dataset:
        return tf.data.Dataset.from_tensor_slices(tf.random.split(_seed(parameters, epoch), steps))

    @tf.autograph.experimental.do_not_convert
    def vary(batch: tuple[tf.Tensor, tf.Tensor], seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        pixels, digits = batch
        varied = tf.cond(
            epoch < augmented_epochs,
            lambda: augment(pixels, seed, parameters.augmentation),
            lambda: pixels,
        )
        return varied, digits

    batches = tf.data.Dataset.zip((plain, tf.data.Dataset.range(1).flat_map(seeds)))
    return _of_known_length(batches.map(vary).prefetch(2), steps)


def validation_batches(images: ManyPixels, labels: Labels) -> tf.data.Dataset:
    """All digits of a split, as they are and in their order.

    Args:
        images: ``(n, 28, 28, 1)`` uint8; of :class:`~mnist_kedro.arrays.Rows` a part is in memory
            at a time.
        labels: ``(n,)`` uint8.

    Returns:
        Pairs of ``(batch, 28, 28, 1)`` and ``(batch,)``, both uint8.
    """

    def batches() -> Iterator[tuple[Pixels, Labels]]:
        for start, block in blocks(images):
            for first, batch in blocks(block, _VALIDATION_BATCH):
                yield batch, labels[start + first : start + first + len(batch)]

    if isinstance(images, Rows):
        made = tf.data.Dataset.from_generator(batches, output_signature=_signature(None))
    else:
        made = tf.data.Dataset.from_tensor_slices((images, labels)).batch(_VALIDATION_BATCH)
    return _of_known_length(made.prefetch(2), -(-len(labels) // _VALIDATION_BATCH))


def _from_memory(
    images: Pixels, labels: Labels, size: int, parameters: TrainingParameters, epoch: tf.Variable
) -> tf.data.Dataset:
    pixels, digits = tf.constant(images), tf.constant(labels)
    steps = len(labels) // size

    @tf.autograph.experimental.do_not_convert
    def shuffled_rows(_: tf.Tensor) -> tf.data.Dataset:
        order = tf.random.experimental.stateless_shuffle(
            tf.range(len(labels)), _seed(parameters, epoch)
        )
        return tf.data.Dataset.from_tensor_slices(tf.reshape(order[: steps * size], (steps, size)))

    @tf.autograph.experimental.do_not_convert
    def batch(rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.gather(pixels, rows), tf.gather(digits, rows)

    return tf.data.Dataset.range(1).flat_map(shuffled_rows).map(batch)


def _from_file(
    images: Rows, labels: Labels, size: int, parameters: TrainingParameters, epoch: tf.Variable
) -> tf.data.Dataset:
    def batches(number: np.int64) -> Iterator[tuple[Pixels, Labels]]:
        random = np.random.default_rng([parameters.seed, int(number)])
        return shuffled_batches(images, labels, size, parameters.shuffle_buffer, random)

    @tf.autograph.experimental.do_not_convert
    def of_epoch(_: tf.Tensor) -> tf.data.Dataset:
        return tf.data.Dataset.from_generator(
            batches, args=(epoch,), output_signature=_signature(size)
        )

    return tf.data.Dataset.range(1).flat_map(of_epoch)


def _seed(parameters: TrainingParameters, epoch: tf.Variable) -> tf.Tensor:
    return tf.stack([tf.constant(parameters.seed, tf.int64), epoch])


def _signature(size: int | None) -> tuple[tf.TensorSpec, tf.TensorSpec]:
    return (
        tf.TensorSpec((size, IMAGE_SIDE, IMAGE_SIDE, 1), tf.uint8),
        tf.TensorSpec((size,), tf.uint8),
    )


def _of_known_length(batches: tf.data.Dataset, steps: int) -> tf.data.Dataset:
    options = tf.data.Options()
    # There is nothing to tune here, and the tuner's thread took up to 9 s to end after an epoch.
    options.autotune.enabled = False
    known = tf.data.experimental.assert_cardinality(steps)  # for the progress bar
    return batches.apply(known).with_options(options)
