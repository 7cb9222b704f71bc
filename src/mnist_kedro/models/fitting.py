"""Train a network."""

import math
from collections.abc import Sequence
from typing import TypedDict

import keras
import numpy as np
import tensorflow as tf

from mnist_kedro.contracts import (
    CLASSES,
    LabeledImages,
    PixelStatistics,
    Provenance,
    provenance,
)
from mnist_kedro.datasets import Checkpoints
from mnist_kedro.models.averaging import WeightAverage
from mnist_kedro.models.batches import training_batches, validation_batches
from mnist_kedro.models.checkpointing import Checkpointing, describe_training
from mnist_kedro.models.precision import dtype_policy
from mnist_kedro.models.progress import EpochProgress
from mnist_kedro.models.seeding import seeded
from mnist_kedro.models.training_twin import training_twin
from mnist_kedro.networks import NetworkParameters
from mnist_kedro.parameters import DigitDetectorParameters, TrainingParameters

# Batches per call from Python to TensorFlow; with 1, an epoch takes 1.08 times as long.
_STEPS_PER_EXECUTION = 32
# `epochs: auto` means 16 epochs, or as many as needed for 400 steps on small datasets.
_MIN_EPOCHS = 16
_MIN_STEPS = 400


class TrainingHistory(TypedDict):
    """The history of a training; lists have one value for each epoch."""

    accuracy: list[float]  # on augmented training digits, averaged during the epoch
    loss: list[float]  # cross-entropy with the smoothed labels
    validation_accuracy: list[float]  # after the epoch
    validation_loss: list[float]  # cross-entropy with the unsmoothed labels
    seconds: list[float]
    training_seconds: float  # total
    training_digits: int
    epochs: int
    label_smoothing: float  # share of each label that is spread over all classes, in [0, 1)
    augmented_epochs: int  # number of first epochs with augmentation; later ones have none
    parameters: int  # number of trainable weights
    precision: str  # Keras dtype policy
    seed: int
    data: Provenance  # provenance of the training digits


def fit_network(
    train: LabeledImages,
    validation: LabeledImages,
    statistics: PixelStatistics,
    parameters: TrainingParameters,
    network: NetworkParameters,
    checkpoints: Checkpoints | None,
    name: str,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> tuple[keras.Model, TrainingHistory]:
    """Build a network and train it with AdamW and a one-cycle learning rate.

    The learning rate rises linearly to its peak, then decays to 0 along a cosine (Smith and Topin
    2017, arXiv:1708.07120; AdamW: Loshchilov and Hutter 2019, arXiv:1711.05101). The network has
    the weights after the last epoch: the validation digits select no epoch.

    With ``parameters.ema_momentum``, the weights are averaged over the steps; the averages are
    validated, and become the weights of the network.

    A checkpoint is saved after each epoch. With ``parameters.resume``, the training resumes from
    the latest checkpoint, with the same result as without an interruption.

    Args:
        train: digits to train on.
        validation: digits to evaluate after each epoch.
        statistics: statistics of the training pixels.
        parameters: number of epochs, learning rate, augmentation and so on.
        network: architecture of the network.
        checkpoints: checkpoints of this training; None: save none, the training cannot resume.
        name: name of the network in the log.
        callbacks: further callbacks, called after an epoch's checkpoint is saved.

    Returns:
        The trained network, with float32 Keras layers, and its history.

    Raises:
        InputError: if the loss becomes NaN or infinite, or if the checkpoints were created with
            other data or parameters.
    """
    train, validation = (
        _load_small(split, parameters.shuffle_buffer) for split in (train, validation)
    )
    labels = train["labels"]
    steps = max(1, len(labels) // parameters.batch_size)  # per epoch
    epochs = number_of_epochs(parameters, steps)
    augmented_epochs = parameters.augmented_epochs(epochs)
    policy = dtype_policy(parameters.mixed_bfloat16)

    keras.backend.clear_session()
    with seeded(parameters.seed):
        model = network.build(statistics)
        twin = training_twin(model, policy)
    _compile(twin, parameters, steps, epochs)
    training = describe_training(train, validation, statistics, parameters, network, policy)
    average = WeightAverage(twin, parameters.ema_momentum) if parameters.ema_momentum else None
    averages = average.variables if average else []
    checkpointing = Checkpointing(name, checkpoints, training, averages)
    if parameters.resume:
        checkpointing.resume(twin)
    epoch = tf.Variable(checkpointing.epochs, dtype=tf.int64, trainable=False)
    try:
        twin.fit(
            training_batches(train["images"], labels, parameters, epoch, augmented_epochs),
            validation_data=validation_batches(validation["images"], validation["labels"]),
            initial_epoch=checkpointing.epochs,
            epochs=epochs,
            shuffle=False,  # training_batches shuffles
            verbose=0,
            callbacks=[
                keras.callbacks.LambdaCallback(on_epoch_begin=lambda i, _: epoch.assign(i)),
                *([average] if average else []),
                EpochProgress(name),  # adds `seconds` to the logs; must precede `checkpointing`
                checkpointing,
                *callbacks,
            ],
        )
    except KeyboardInterrupt as interrupt:
        if checkpoints is not None:
            interrupt.add_note(checkpointing.resume_hint())
        raise
    model.set_weights(average.values() if average else twin.get_weights())
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
        label_smoothing=parameters.label_smoothing,
        augmented_epochs=augmented_epochs,
        parameters=sum(math.prod(weight.shape) for weight in model.trainable_weights),
        precision=policy,
        seed=parameters.seed,
        data=provenance(train),
    )
    return model, history


def _load_small(digits: LabeledImages, limit: int) -> LabeledImages:
    """Load the labels into memory; load the images, too, if there are at most ``limit``."""
    small = len(digits["images"]) <= limit
    images = np.asarray(digits["images"]) if small else digits["images"]
    return {**digits, "images": images, "labels": np.asarray(digits["labels"])}


def _compile(twin: keras.Model, parameters: TrainingParameters, steps: int, epochs: int) -> None:
    optimizer = keras.optimizers.AdamW(
        one_cycle(parameters, steps * epochs), weight_decay=parameters.weight_decay
    )
    # Biases and normalization weights should not decay. Besides, Keras recomputes the learning rate
    # for every variable that decays, which made the first epoch 0.6 s longer.
    optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
    twin.compile(
        optimizer=optimizer,
        loss="categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=min(_STEPS_PER_EXECUTION, steps),
        jit_compile=False,  # XLA takes four times as long on a CPU
    )
    optimizer.build(twin.trainable_variables)  # before a checkpoint is loaded into it
    # Metrics create their variables on first use. In the compiled step, this would cause a second
    # compilation, which takes 0.7 s.
    twin.compute_metrics(x=None, y=np.zeros((1, CLASSES)), y_pred=np.zeros((1, CLASSES)))


def number_of_epochs(parameters: TrainingParameters, steps: int) -> int:
    """Return the number of epochs to train; ``auto`` means more epochs on small datasets.

    Args:
        parameters: contain ``epochs``, a number or ``auto``.
        steps: number of batches in an epoch, at least 1.
    """
    if parameters.epochs != "auto":
        return parameters.epochs
    return max(_MIN_EPOCHS, math.ceil(_MIN_STEPS / steps))


def one_cycle(
    parameters: TrainingParameters | DigitDetectorParameters, steps: int
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Create the schedule of the learning rate: it rises to its peak, then decays to 0.

    Args:
        parameters: contain the peak ``learning_rate``, and the ``warmup_fraction`` of the steps.
        steps: number of steps of the training, at least 1.
    """
    warmup = round(steps * parameters.warmup_fraction)
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=parameters.learning_rate / 25,  # as in PyTorch's OneCycleLR
        warmup_target=parameters.learning_rate,
        warmup_steps=warmup,
        decay_steps=max(1, steps - warmup),
        alpha=0.0,
    )
