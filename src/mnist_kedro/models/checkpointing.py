"""Save a checkpoint after each epoch, and resume an interrupted training."""

import logging
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from mnist_kedro.contracts import LabeledImages, PixelStatistics
from mnist_kedro.datasets import Checkpoints
from mnist_kedro.digest import sha256
from mnist_kedro.errors import InputError
from mnist_kedro.networks import NetworkParameters
from mnist_kedro.parameters import TrainingParameters

logger = logging.getLogger(__name__)

_CURVES = ("accuracy", "loss", "val_accuracy", "val_loss", "seconds")


def describe_training(
    train: LabeledImages,
    validation: LabeledImages,
    statistics: PixelStatistics,
    parameters: TrainingParameters,
    network: NetworkParameters,
    dtype_policy: str,
) -> dict[str, Any]:
    """Collect everything that determines the result of a training, by the names in messages."""
    options = parameters.model_dump(
        exclude={"models", "members", "resume", "mixed_bfloat16", "tensorboard"}
    )
    augmentation = options.pop("augmentation")
    return {
        **{f"training.{key}": value for key, value in options.items()},
        **{f"training.augmentation.{key}": value for key, value in augmentation.items()},
        **{f"network.{key}": value for key, value in network.model_dump().items()},
        "dtype policy": dtype_policy,
        "pixel_statistics": dict(statistics),
        **{
            f"{name} {key}": sha256(split[key])
            for name, split in (("train", train), ("validation", validation))
            for key in ("images", "labels")
        },
    }


class Checkpointing(keras.callbacks.Callback):
    """Save weights, optimizer and history after each epoch; stop if the loss is NaN or infinite.

    Keras's ``BackupAndRestore`` overwrites its file in place, and loses the earlier history.
    """

    def __init__(
        self,
        name: str,
        checkpoints: Checkpoints | None,
        training: Mapping[str, Any],
        averages: Sequence[keras.Variable],
    ) -> None:
        """Create the callback.

        Args:
            name: name of the network, for messages.
            checkpoints: checkpoints of this training; None: only record the history.
            training: the result of :func:`describe_training`.
            averages: averaged weights, saved and loaded, too; empty without averaging.
        """
        super().__init__()
        self._averages = averages
        self._name, self._checkpoints, self._training = name, checkpoints, training
        self.epochs = 0  # number of completed epochs
        self.curves: dict[str, list[float]] = {curve: [] for curve in _CURVES}
        self.seconds = 0.0  # training time, including the runs before an interruption

    def resume(self, model: keras.Model) -> None:
        """Load the latest checkpoint of the same training, if there is one.

        Raises:
            InputError: if all checkpoints belong to other trainings; it lists the differences.
        """
        if self._checkpoints is None:
            return
        state = self._checkpoints.load(self._training)
        if state is None:
            self._reject_other_training(self._checkpoints)
            logger.info("%s: no checkpoint found; training from scratch.", self._name)
            return
        for key, variables in self._variables(model).items():
            for i, variable in enumerate(variables):
                variable.assign(state[f"{key}/{i:03d}"])
        self.epochs = state["epoch"]
        self.seconds = state["seconds"]
        self.curves = {curve: state[f"curves/{curve}"].tolist() for curve in _CURVES}
        logger.info("%s: resuming after epoch %d.", self._name, self.epochs)

    def _reject_other_training(self, checkpoints: Checkpoints) -> None:
        differences = checkpoints.differences(self._training)
        if differences:
            changes = "; ".join(
                f"{name} was {_shorten(old)}, is {_shorten(new)}"
                for name, (old, new) in differences.items()
            )
            raise InputError(
                f"{self._name}: cannot resume, because the checkpoint was created with different "
                f"settings or data: {changes}. Undo the change, or train from scratch without "
                "training.resume."
            )

    def on_train_begin(self, logs=None):  # noqa: ARG002
        """Start measuring time."""
        self._started = time.perf_counter() - self.seconds

    def on_train_batch_end(self, batch, logs=None):  # noqa: ARG002
        """Stop if the loss is NaN or infinite: the training cannot recover."""
        self._check_finite(logs["loss"])

    def on_epoch_end(self, epoch, logs=None):
        """Save a checkpoint."""
        self._check_finite(logs["loss"] + logs["val_loss"])
        for curve in _CURVES:
            self.curves[curve].append(float(logs[curve]))
        self.seconds = time.perf_counter() - self._started
        if self._checkpoints is not None:
            self._checkpoints.save(self._training, epoch + 1, self._state(epoch))
        self.epochs = epoch + 1

    def _state(self, epoch: int) -> dict[str, Any]:
        state = {
            f"{key}/{i:03d}": variable.numpy()
            for key, variables in self._variables(self.model).items()
            for i, variable in enumerate(variables)
        }
        state |= {f"curves/{curve}": np.array(values) for curve, values in self.curves.items()}
        return state | {"epoch": epoch + 1, "seconds": self.seconds}

    def _variables(self, model: keras.Model) -> dict[str, Sequence[keras.Variable]]:
        return {
            "weights": model.weights,
            "optimizer": model.optimizer.variables,
            "average": self._averages,
        }

    def _check_finite(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise InputError(
                f"{self._name}: the loss became {float(loss)} in epoch {self.epochs + 1}, so "
                "training stopped; earlier models and the last good checkpoint are unchanged. "
                "Try a smaller training.learning_rate."
            )

    def resume_hint(self) -> str:
        """Return a message about how to resume the training after an interruption."""
        if not self.epochs:
            return f"{self._name}: no epoch was completed."
        return (
            f"{self._name}: epoch {self.epochs} is saved; to continue after it, run the same "
            "command with --params training.resume=true."
        )


def _shorten(value: Any) -> str:
    """Convert a value to text; shorten a SHA-256 digest to its first eight characters."""
    text = str(value)
    return f"{text[:8]}…" if len(text) == 64 else text
