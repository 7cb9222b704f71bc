"""What a training keeps after each epoch, and how it goes on from there."""

import logging
import math
import time
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from mnist_kedro.contracts import LabelledImages, PixelStatistics
from mnist_kedro.datasets import Checkpoints
from mnist_kedro.digest import sha256
from mnist_kedro.errors import InputError
from mnist_kedro.networks import NetworkParameters
from mnist_kedro.parameters import TrainingParameters

logger = logging.getLogger(__name__)

_CURVES = ("accuracy", "loss", "val_accuracy", "val_loss", "seconds")


def describe_training(
    train: LabelledImages,
    validation: LabelledImages,
    statistics: PixelStatistics,
    parameters: TrainingParameters,
    network: NetworkParameters,
    dtype_policy: str,
) -> dict[str, Any]:
    """All that the result of a training depends on, by the names that a person knows it by."""
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
    """Keeps weights, optimiser and history after each epoch; stops when the loss is no number.

    ``BackupAndRestore`` of Keras writes in place, and its history begins at the restart.
    """

    def __init__(
        self, name: str, checkpoints: Checkpoints | None, training: Mapping[str, Any]
    ) -> None:
        """Without ``checkpoints`` only the history is kept."""
        super().__init__()
        self._name, self._checkpoints, self._training = name, checkpoints, training
        self.epochs = 0  # done
        self.curves: dict[str, list[float]] = {curve: [] for curve in _CURVES}
        self.seconds = 0.0  # of training, in all runs

    def resume(self, model: keras.Model) -> None:
        """Go on from the newest checkpoint of the same training; without one, from the start.

        Raises:
            InputError: when there is one of another training alone; it names the differences.
        """
        if self._checkpoints is None:
            return
        state = self._checkpoints.load(self._training)
        if state is None:
            self._refuse_another(self._checkpoints)
            logger.info("%s: no checkpoint, training from the start.", self._name)
            return
        for key, variables in _variables(model).items():
            for i, variable in enumerate(variables):
                variable.assign(state[f"{key}/{i:03d}"])
        self.epochs = state["epoch"]
        self.seconds = state["seconds"]
        self.curves = {curve: state[f"curves/{curve}"].tolist() for curve in _CURVES}
        logger.info("%s: going on after epoch %d.", self._name, self.epochs)

    def _refuse_another(self, checkpoints: Checkpoints) -> None:
        differences = checkpoints.differences(self._training)
        if differences:
            told = "; ".join(
                f"{name} was {_short(was)}, is {_short(now)}"
                for name, (was, now) in differences.items()
            )
            raise InputError(
                f"{self._name}: the interrupted training was another one, so it cannot be resumed: "
                f"{told}. Undo that, or train from the start without training.resume."
            )

    def on_train_begin(self, logs=None):  # noqa: ARG002
        """Start the clock."""
        self._started = time.perf_counter() - self.seconds

    def on_train_batch_end(self, batch, logs=None):  # noqa: ARG002
        """Stop at once when the loss is no number: nothing can come of it."""
        self._check(logs["loss"])

    def on_epoch_end(self, epoch, logs=None):
        """Save the state."""
        self._check(logs["loss"] + logs["val_loss"])
        for curve in _CURVES:
            self.curves[curve].append(float(logs[curve]))
        self.seconds = time.perf_counter() - self._started
        if self._checkpoints is not None:
            self._checkpoints.save(self._training, epoch + 1, self._state(epoch))
        self.epochs = epoch + 1

    def _state(self, epoch: int) -> dict[str, Any]:
        state = {
            f"{key}/{i:03d}": variable.numpy()
            for key, variables in _variables(self.model).items()
            for i, variable in enumerate(variables)
        }
        state |= {f"curves/{curve}": np.array(values) for curve, values in self.curves.items()}
        return state | {"epoch": epoch + 1, "seconds": self.seconds}

    def _check(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise InputError(
                f"{self._name}: the loss became {float(loss)} in epoch {self.epochs + 1}, so the "
                "training ends; earlier models and the last good checkpoint are kept as they are. "
                "A smaller training.learning_rate may help."
            )

    def how_to_resume(self) -> str:
        """What to tell a person who interrupted the training."""
        if not self.epochs:
            return f"{self._name}: no epoch was done."
        return (
            f"{self._name}: epoch {self.epochs} is kept; the same command with "
            "--params training.resume=true goes on from there."
        )


def _variables(model: keras.Model) -> dict[str, list[keras.Variable]]:
    return {"weights": model.weights, "optimizer": model.optimizer.variables}


def _short(value: Any) -> str:
    """A value as a person would write it; of a digest, its beginning."""
    text = str(value)
    return f"{text[:8]}…" if len(text) == 64 else text
