"""Logs for TensorBoard. Importing this module imports TensorFlow."""

from importlib.util import find_spec
from pathlib import Path

from mnist_kedro import quiet_tensorflow  # noqa: F401  (before all else that imports it)

# isort: split
import keras

from mnist_kedro.errors import InputError


def log_to_tensorboard(folder: Path) -> keras.callbacks.Callback:
    """Accuracy and loss after each epoch, and how the weights are distributed.

    Raises:
        InputError: when TensorBoard is not installed.
    """
    if find_spec("tensorboard") is None:
        raise InputError(
            "parameter 'training.tensorboard' is true, but TensorBoard is not installed; "
            "pip install 'mnist_kedro[tensorboard]'."
        )
    return keras.callbacks.TensorBoard(str(folder), histogram_freq=1, write_graph=False)
