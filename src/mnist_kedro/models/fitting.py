"""Train a network."""

import math
from collections.abc import Sequence
from typing import TypedDict

import keras
import numpy as np
import tensorflow as tf

from mnist_kedro.contracts import (
    CLASSES,
    LabelledImages,
    PixelStatistics,
    Provenance,
    provenance,
)
from mnist_kedro.datasets import Checkpoints
from mnist_kedro.models.batches import training_batches, validation_batches
from mnist_kedro.models.checkpointing import Checkpointing, describe_training
from mnist_kedro.models.precision import dtype_policy
from mnist_kedro.models.progress import EpochProgress
from mnist_kedro.models.seeding import seeded
from mnist_kedro.models.training_twin import training_twin
from mnist_kedro.networks import NetworkParameters
from mnist_kedro.parameters import TrainingParameters

# Batches that TensorFlow runs without going back to Python; one at a time takes 1.08 times as long.
_STEPS_PER_EXECUTION = 32
# `epochs: auto`: sixteen passes over all of MNIST; of fewer digits, as many as make 400 steps.
_FEWEST_EPOCHS = 16
_FEWEST_STEPS = 400


class TrainingHistory(TypedDict):
    """How a network was trained: one value an epoch in the lists."""

    accuracy: list[float]  # on the training digits, as augmented, during the epoch
    loss: list[float]
    validation_accuracy: list[float]  # after the epoch
    validation_loss: list[float]
    seconds: list[float]
    training_seconds: float  # in all
    training_digits: int
    epochs: int
    augmented_epochs: int  # of them, the first
    parameters: int  # trained weights of the network
    precision: str  # Keras dtype policy
    seed: int
    data: Provenance  # of the training digits


def fit_network(
    train: LabelledImages,
    validation: LabelledImages,
    statistics: PixelStatistics,
    parameters: TrainingParameters,
    network: NetworkParameters,
    checkpoints: Checkpoints | None,
    name: str,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> tuple[keras.Model, TrainingHistory]:
    """Build a network and train it by AdamW with a one-cycle learning rate.

    The rate climbs linearly to its peak and falls to zero by a half cosine (Smith and Topin 2017,
    arXiv:1708.07120; AdamW: Loshchilov and Hutter 2019, arXiv:1711.05101). The weights are those
    after the last epoch: the validation digits are watched, not chosen by.

    A checkpoint is kept after each epoch; with ``parameters.resume`` the training goes on from the
    newest of them, to the same result as without the interruption.

    Args:
        train: digits to learn from.
        validation: digits to watch.
        statistics: of the training pixels.
        parameters: the recipe.
        network: what to build.
        checkpoints: of this training; None: it is not resumed if it is interrupted.
        name: what the log calls it.
        callbacks: further ones, called after the checkpoint of an epoch.

    Returns:
        The trained network, of stock float32 Keras layers, and its history.

    Raises:
        InputError: when the loss becomes NaN or infinite, or the checkpoints are of a training on
            other data or with other parameters.
    """
    train, validation = (_read_few(of, parameters.shuffle_buffer) for of in (train, validation))
    labels = train["labels"]
    steps = max(1, len(labels) // parameters.batch_size)  # an epoch's
    epochs = number_of_epochs(parameters, steps)
    augmented_epochs = parameters.augmented_epochs(epochs)
    policy = dtype_policy(parameters.mixed_bfloat16)

    keras.backend.clear_session()
    with seeded(parameters.seed):
        model = network.build(statistics)
        twin = training_twin(model, policy)
    _compile(twin, parameters, steps, epochs)
    training = describe_training(train, validation, statistics, parameters, network, policy)
    checkpointing = Checkpointing(name, checkpoints, training)
    if parameters.resume:
        checkpointing.resume(twin)
    epoch = tf.Variable(checkpointing.epochs, dtype=tf.int64, trainable=False)
    try:
        twin.fit(
            training_batches(train["images"], labels, parameters, epoch, augmented_epochs),
            validation_data=validation_batches(validation["images"], validation["labels"]),
            initial_epoch=checkpointing.epochs,
            epochs=epochs,
            shuffle=False,  # the batches are shuffled already
            verbose=0,
            callbacks=[
                keras.callbacks.LambdaCallback(on_epoch_begin=lambda i, _: epoch.assign(i)),
                EpochProgress(name),
                checkpointing,
                *callbacks,
            ],
        )
    except KeyboardInterrupt as interrupt:
        if checkpoints is not None:
            interrupt.add_note(checkpointing.how_to_resume())
        raise
    model.set_weights(twin.get_weights())
    curves = checkpointing.curves
    history = TrainingHistory(
        accuracy=curves["accuracy"],
        loss=curves["loss"],
        validation_accuracy=curves["val_accuracy"],
        validation_loss=curves["val_loss"],
        seconds=curves["seconds"],
        training_seconds=checkpointing.seconds,
        training_digits=len(labels),
        epochs=epochs,
        augmented_epochs=augmented_epochs,
        parameters=sum(math.prod(weight.shape) for weight in model.trainable_weights),
        precision=policy,
        seed=parameters.seed,
        data=provenance(train),
    )
    return model, history


def _read_few(digits: LabelledImages, at_most: int) -> LabelledImages:
    """The labels in memory, and the images too, unless there are more."""
    few = len(digits["images"]) <= at_most
    images = np.asarray(digits["images"]) if few else digits["images"]
    return {**digits, "images": images, "labels": np.asarray(digits["labels"])}


def _compile(twin: keras.Model, parameters: TrainingParameters, steps: int, epochs: int) -> None:
    optimizer = keras.optimizers.AdamW(
        one_cycle(parameters, steps * epochs), weight_decay=parameters.weight_decay
    )
    # Decay is for what multiplies; and Keras computes the learning rate anew for each weight that
    # decays, which made the first epoch 0.6 s longer.
    optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
    twin.compile(
        optimizer=optimizer,
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=min(_STEPS_PER_EXECUTION, steps),
        jit_compile=False,  # XLA takes four times as long on a CPU
    )
    optimizer.build(twin.trainable_variables)  # a checkpoint may be read into it
    # The metrics make their variables when they are first used. Within the compiled step that has
    # it compiled twice: 0.7 s.
    twin.compute_metrics(x=None, y=np.zeros(1), y_pred=np.zeros((1, CLASSES)))


def number_of_epochs(parameters: TrainingParameters, steps: int) -> int:
    """Return how many epochs to train: as many as asked for, or more for fewer digits.

    Args:
        parameters: ``epochs``, a number or ``auto``.
        steps: batches of an epoch, at least 1.
    """
    if parameters.epochs != "auto":
        return parameters.epochs
    return max(_FEWEST_EPOCHS, math.ceil(_FEWEST_STEPS / steps))


def one_cycle(
    parameters: TrainingParameters, steps: int
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Make the schedule of a training: the rate rises to its peak, then falls to 0.

    Args:
        parameters: the peak ``learning_rate`` and the ``warmup_fraction`` of the steps before it.
        steps: of the whole training, at least 1.
    """
    warmup = round(steps * parameters.warmup_fraction)
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=parameters.learning_rate / 25,  # as in PyTorch's OneCycleLR
        warmup_target=parameters.learning_rate,
        warmup_steps=warmup,
        decay_steps=max(1, steps - warmup),
        alpha=0.0,
    )
