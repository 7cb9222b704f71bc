"""Feed digits to Keras in batches, augmented for training and unchanged for validation."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from mnist_kedro.arrays import Rows, blocks
from mnist_kedro.contracts import CLASSES, IMAGE_SIDE, Labels, ManyPixels, Pixels
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
    """Shuffle, augment and batch the training digits.

    The batches depend only on the seed and the epoch, so a resumed training uses the same digits as
    an uninterrupted one. The pixels stay uint8 until the network standardizes them. Each epoch
    drops the digits that do not fill its last batch; the next epoch drops other digits.

    Args:
        images: ``(n, 28, 28, 1)`` uint8. If they are :class:`~mnist_kedro.arrays.Rows`, at most
            twice ``parameters.shuffle_buffer`` digits are in memory at a time (see
            :func:`~mnist_kedro.models.shuffling.shuffled_batches`).
        labels: ``(n,)`` uint8.
        parameters: batch size, shuffle buffer, augmentation and seed.
        epoch: number of the current epoch, int64 from 0; read during the iteration.
        augmented_epochs: number of epochs with augmentation. Later epochs use unchanged digits
            like those of the test split (Touvron et al. 2019, arXiv:1906.06423).

    Returns:
        Pairs of images ``(batch, 28, 28, 1)`` uint8 and one-hot labels ``(batch, 10)`` float32,
        smoothed by ``parameters.label_smoothing`` (Szegedy et al. 2016, arXiv:1512.00567).
    """
    size = min(parameters.batch_size, len(labels))
    steps = len(labels) // size
    if isinstance(images, Rows):
        shuffled = _shuffle_file(images, labels, size, parameters, epoch)
    else:
        shuffled = _shuffle_memory(images, labels, size, parameters, epoch)

    # AutoGraph has nothing to convert here, but would take 0.3 s to find out.
    @tf.autograph.experimental.do_not_convert
    def seeds(_: tf.Tensor) -> tf.data.Dataset:
        return tf.data.Dataset.from_tensor_slices(tf.random.split(_seed(parameters, epoch), steps))

    @tf.autograph.experimental.do_not_convert
    def augment_batch(
        batch: tuple[tf.Tensor, tf.Tensor], seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        pixels, digits = batch
        augmented = tf.cond(
            epoch < augmented_epochs,
            lambda: augment(pixels, seed, parameters.augmentation),
            lambda: pixels,
        )
        return augmented, one_hot(digits, parameters.label_smoothing)

    batches = tf.data.Dataset.zip((shuffled, tf.data.Dataset.range(1).flat_map(seeds)))
    return _with_length(batches.map(augment_batch).prefetch(2), steps)


def validation_batches(images: ManyPixels, labels: Labels) -> tf.data.Dataset:
    """Split the validation digits into batches, in the order of the split.

    Args:
        images: ``(n, 28, 28, 1)`` uint8. If they are :class:`~mnist_kedro.arrays.Rows`, only one
            block is in memory at a time.
        labels: ``(n,)`` uint8.

    Returns:
        Pairs of images ``(batch, 28, 28, 1)`` uint8 and one-hot labels ``(batch, 10)`` float32.
    """

    def read_batches() -> Iterator[tuple[Pixels, Labels]]:
        for start, block in blocks(images):
            for first, batch in blocks(block, _VALIDATION_BATCH):
                yield batch, labels[start + first : start + first + len(batch)]

    @tf.autograph.experimental.do_not_convert
    def encode_labels(batch: tf.Tensor, digits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return batch, one_hot(digits)

    if isinstance(images, Rows):
        batches = tf.data.Dataset.from_generator(read_batches, output_signature=_signature(None))
    else:  # a generator would make a training 0.3 s longer
        batches = tf.data.Dataset.from_tensor_slices((images, labels)).batch(_VALIDATION_BATCH)
    batches = batches.map(encode_labels)
    return _with_length(batches.prefetch(2), -(-len(labels) // _VALIDATION_BATCH))


def one_hot(digits: tf.Tensor, smoothing: float = 0.0) -> tf.Tensor:
    """Encode labels as one-hot vectors ``(n, 10)`` float32, optionally smoothed.

    Args:
        digits: ``(n,)`` integers in 0–9.
        smoothing: the share of each label, in [0, 1), that is spread evenly over the ten digits.
    """
    rest = smoothing / CLASSES
    return tf.one_hot(digits, CLASSES, on_value=1.0 - smoothing + rest, off_value=rest)


def _shuffle_memory(
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


def _shuffle_file(
    images: Rows, labels: Labels, size: int, parameters: TrainingParameters, epoch: tf.Variable
) -> tf.data.Dataset:
    def read_batches(number: np.int64) -> Iterator[tuple[Pixels, Labels]]:
        random = np.random.default_rng([parameters.seed, int(number)])
        return shuffled_batches(images, labels, size, parameters.shuffle_buffer, random)

    @tf.autograph.experimental.do_not_convert
    def epoch_batches(_: tf.Tensor) -> tf.data.Dataset:
        return tf.data.Dataset.from_generator(
            read_batches, args=(epoch,), output_signature=_signature(size)
        )

    return tf.data.Dataset.range(1).flat_map(epoch_batches)


def _seed(parameters: TrainingParameters, epoch: tf.Variable) -> tf.Tensor:
    return tf.stack([tf.constant(parameters.seed, tf.int64), epoch])


def _signature(size: int | None) -> tuple[tf.TensorSpec, tf.TensorSpec]:
    return (
        tf.TensorSpec((size, IMAGE_SIDE, IMAGE_SIDE, 1), tf.uint8),
        tf.TensorSpec((size,), tf.uint8),
    )


def _with_length(batches: tf.data.Dataset, steps: int) -> tf.data.Dataset:
    options = tf.data.Options()
    # Autotuning has nothing to tune here, and its thread took up to 9 s to end after an epoch.
    options.autotune.enabled = False
    with_steps = tf.data.experimental.assert_cardinality(steps)  # the progress bar shows them
    return batches.apply(with_steps).with_options(options)
