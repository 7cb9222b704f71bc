"""Save and load Keras models. Importing this module imports TensorFlow."""

import errno
import json
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from threading import Lock
from typing import IO, Any

from kedro.io.core import DatasetError, get_filepath_str
from kedro.utils import load_obj

from mnist_kedro import quiet_tensorflow  # noqa: F401  (before any other import of TensorFlow)

# isort: split
import keras
import pandas as pd
from kedro_datasets._typing import TablePreview
from kedro_datasets.tensorflow import TensorFlowModelDataset

# In the configuration of a functional model, the class of the tensors between its layers.
_TENSOR_CLASS = "__keras_tensor__"

_Class = tuple[str, tuple[str, str]]  # module and name; name and registered name

_LOAD_LOCK = Lock()  # Keras uses global state while it builds a network


class KerasModelDataset(TensorFlowModelDataset):
    """Extend kedro-datasets' ``TensorFlowModelDataset``: reject corrupt and malicious files.

    For a truncated file Keras itself reports "file not found". Models are loaded in Keras's safe
    mode, kedro-datasets' default, and only if they consist of Keras's own classes, without Lambda
    layers, and of the layers that the catalog names. No code in a file is executed.

    ```yaml
    cnn.model:
      type: mnist_kedro.datasets.keras_model_dataset.KerasModelDataset
      filepath: data/06_models/cnn.keras
      versioned: true
      layers: [mnist_kedro.models.capsules.SelfAttentionRouting]
    ```
    """

    def __init__(self, *, layers: Sequence[str] = (), **kwargs: Any) -> None:
        """Create a dataset for one model.

        Args:
            layers: registered layers, by module and name, that models may contain besides Keras's
                own classes. They are imported when a model contains them.
            **kwargs: as for kedro-datasets' ``TensorFlowModelDataset``.
        """
        super().__init__(**kwargs)
        self._layers = tuple(layers)

    def load(self) -> keras.Model:
        """Load the model.

        Raises:
            DatasetError: if the file is corrupt, or refers to classes that are not allowed.
        """
        path = get_filepath_str(self._get_load_path(), self._protocol)
        with self._fs.open(path, "rb") as file:
            config = _read_config(file)
        if config is None:
            raise DatasetError(
                f"{path}: corrupt model file; train it again ('kedro run --pipelines training') "
                "or name an earlier version with --load-versions."
            )
        classes = set(_foreign_classes(config))
        foreign = sorted(name for name, key in classes - self._allowed_classes(classes))
        if foreign:
            raise DatasetError(
                f"{path}: rejected, because it refers to {', '.join(foreign)}, which may run any "
                "code; expected a model of Keras's own layers, or of layers that the catalog names."
            )
        with _LOAD_LOCK:
            return super().load()

    def _allowed_classes(self, classes: set[_Class]) -> set[_Class]:
        """Return the classes that Keras takes from the layers that the catalog names.

        Keras looks a class up by its registered name first, wherever its module is; so models that
        were saved before a layer moved are loaded.
        """
        layers = [load_obj(path) for path in self._layers] if classes else []
        keys = {(layer.__name__, keras.saving.get_registered_name(layer)) for layer in layers}
        return {(name, key) for name, key in classes if key in keys}

    def save(self, data: keras.Model) -> None:
        """Save the model; kedro-datasets writes it to a temporary folder first.

        Raises:
            OSError: if a disk is full; names the file or the temporary folder.
        """
        try:
            super().save(data)
        except DatasetError as error:
            cause = error.__cause__
            if not isinstance(cause, OSError) or cause.errno != errno.ENOSPC or cause.filename:
                raise
            folder = tempfile.gettempdir()
            free = shutil.disk_usage(folder).free
            reason = f"disk full, {free:,} bytes are free; set TMPDIR to a folder with more space"
            raise OSError(cause.errno, reason, folder) from error

    def preview(self) -> TablePreview:
        """Return a table of the model's layers for Kedro-Viz."""
        return TablePreview(layer_table(self.load()).to_dict("split"))


def layer_table(model: keras.Model) -> pd.DataFrame:
    """Return a row per layer: ``layer`` (its name), ``type``, ``output shape``, ``parameters``."""
    rows = [
        [layer.name, type(layer).__name__, str(layer.output.shape[1:]), layer.count_params()]
        for layer in model.layers
    ]
    return pd.DataFrame(rows, columns=["layer", "type", "output shape", "parameters"])


def _read_config(file: IO[bytes]) -> Any:
    """Return the model's configuration; None if any part of the file is corrupt."""
    try:
        with zipfile.ZipFile(file) as archive:
            return None if archive.testzip() else json.loads(archive.read("config.json"))
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, NotImplementedError):
        return None


def _foreign_classes(config: Any) -> Iterator[_Class]:
    """Yield the classes and functions that are not Keras's own, and Lambda layers."""
    if isinstance(config, dict):
        name, module = config.get("class_name"), str(config.get("module"))
        full_name = f"{module}.{name}".removeprefix("None.")
        is_keras = module.partition(".")[0] == "keras" or full_name == _TENSOR_CLASS
        if name is not None and (name == "Lambda" or not is_keras):
            yield full_name, (str(name), str(config.get("registered_name")))
        for value in config.values():
            yield from _foreign_classes(value)
    elif isinstance(config, list):
        for value in config:
            yield from _foreign_classes(value)
