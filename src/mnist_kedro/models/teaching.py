"""Fine-tune a trained network on corrections."""

import time
from typing import NamedTuple

import keras
import tensorflow as tf

from mnist_kedro.contracts import LabeledImages, Labels, Pixels
from mnist_kedro.metrics.prediction import rows_of_all
from mnist_kedro.models.augmentation import augment
from mnist_kedro.models.batches import one_hot
from mnist_kedro.parameters import AugmentationParameters, TeachingParameters

_STEPS_PER_EXECUTION = 25
_MAX_TRAINING_DIGITS = 60_000  # largest number of training digits in memory


class FineTuned(NamedTuple):
    """A fine-tuned network and the metrics of its fine-tuning."""

    network: keras.Model
    accuracy: float  # on corrections and training digits, averaged over the steps
    loss: float  # averaged over the steps
    seconds: float


def copy_network(network: keras.Model) -> keras.Model:
    """Copy a network with its weights."""
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    return copy


class FineTuner:
    """Fine-tune a network on corrections, each time from the same weights.

    To prevent catastrophic forgetting, each batch also contains training digits, whose targets are
    the probabilities of the original network (distillation; Li and Hoiem 2016, arXiv:1606.09282).
    All digits are augmented as in the training. Batch normalization keeps its statistics.
    """

    def __init__(
        self,
        parent: keras.Model,
        train: LabeledImages,
        teaching: TeachingParameters,
        augmentation: AugmentationParameters,
    ) -> None:
        """Copy and compile a network.

        Args:
            parent: the network, ``(n, 28, 28, 1)`` uint8 → ``(n, 10)`` probabilities.
            train: the digits that the network was trained on.
            teaching: number of steps, learning rate and so on.
            augmentation: augmentation of all digits.
        """
        self._parent, self._teaching, self._augmentation = parent, teaching, augmentation
        self._train = tf.constant(train["images"][rows_of_all(train, _MAX_TRAINING_DIGITS)])
        self._network = keras.models.clone_model(parent)
        for layer in self._network.layers:
            layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
        self._network.compile(
            keras.optimizers.Adam(
                keras.optimizers.schedules.CosineDecay(teaching.learning_rate, teaching.steps)
            ),
            loss="categorical_crossentropy",
            metrics=["accuracy"],
            steps_per_execution=min(_STEPS_PER_EXECUTION, teaching.steps),
            jit_compile=False,
        )
        self._network.optimizer.build(self._network.trainable_variables)

    def fine_tune(self, images: Pixels, labels: Labels, strength: float) -> FineTuned:
        """Fine-tune a copy of the network on corrections.

        Args:
            images: ``(n, 28, 28, 1)`` uint8, n ≥ 1.
            labels: ``(n,)`` in 0–9.
            strength: loss weight of a correction; a training digit has weight 1.
        """
        start = time.perf_counter()
        self._network.set_weights(self._parent.get_weights())
        optimizer = self._network.optimizer
        for variable in optimizer.variables:
            if variable is not optimizer.learning_rate:
                variable.assign(tf.zeros_like(variable))
        history = self._network.fit(
            self._batches(images, labels, strength),
            shuffle=False,  # the digits of each batch are drawn at random
            verbose=0,
        ).history
        taught = copy_network(self._parent)
        taught.set_weights(self._network.get_weights())
        seconds = time.perf_counter() - start
        return FineTuned(taught, history["accuracy"][0], history["loss"][0], seconds)

    def _batches(self, images: Pixels, labels: Labels, strength: float) -> tf.data.Dataset:
        """Draw batches of corrections and training digits: images, targets and weights."""
        corrected, replayed = self._teaching.corrected_digits, self._teaching.training_digits
        corrections, targets = tf.constant(images), one_hot(labels)
        weights = tf.constant([strength] * corrected + [1.0] * replayed)

        def draw(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            seeds = tf.random.split([tf.constant(self._teaching.seed, tf.int64), step], 3)
            rows = tf.random.stateless_uniform([corrected], seeds[0], 0, len(labels), tf.int32)
            others = tf.random.stateless_uniform(
                [replayed], seeds[1], 0, len(self._train), tf.int32
            )
            drawn = tf.concat(
                [tf.gather(corrections, rows), tf.gather(self._train, others)], axis=0
            )
            augmented = augment(drawn, seeds[2], self._augmentation)
            probabilities = self._parent(augmented[corrected:], training=False)
            wanted = tf.concat([tf.gather(targets, rows), probabilities], axis=0)
            return augmented, wanted, weights

        return tf.data.Dataset.range(self._teaching.steps).map(draw).prefetch(2)
