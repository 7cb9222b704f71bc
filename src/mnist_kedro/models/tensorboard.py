"""Write logs for TensorBoard."""

from importlib.util import find_spec
from pathlib import Path

import keras

from mnist_kedro.errors import InputError


def log_to_tensorboard(folder: Path) -> keras.callbacks.Callback:
    """Create a callback that logs accuracy, loss and histograms of the weights after each epoch.

    Raises:
        InputError: if TensorBoard is not installed.
    """
    if find_spec("tensorboard") is None:
        raise InputError(
            "parameter 'training.tensorboard' is true, but TensorBoard is not installed; "
            "pip install 'mnist_kedro[tensorboard]'."
        )
    return keras.callbacks.TensorBoard(str(folder), histogram_freq=1, write_graph=False)
