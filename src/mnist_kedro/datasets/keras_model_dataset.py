"""Keras models in the catalog. Importing this module imports TensorFlow."""

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

from mnist_kedro import quiet_tensorflow  # noqa: F401  (before all else that imports it)

# isort: split
import keras
import pandas as pd
from kedro_datasets._typing import TablePreview
from kedro_datasets.tensorflow import TensorFlowModelDataset

# A functional model has this for the tensors between its layers.
_TENSOR = "__keras_tensor__"

_LOADING = Lock()  # Keras builds networks with state of the whole process


class KerasModelDataset(TensorFlowModelDataset):
    """kedro-datasets' ``TensorFlowModelDataset`` for ``.keras`` files that may be damaged or evil.

    Keras says "file not found" of a file that is there but truncated. Models are loaded in Keras's
    safe mode, kedro-datasets' default, and only if they are made of Keras's own classes without a
    Lambda layer, and of the layers that the catalog names: no code in a file is run.

    ```yaml
    cnn.model:
      type: mnist_kedro.datasets.keras_model_dataset.KerasModelDataset
      filepath: data/06_models/cnn.keras
      versioned: true
      layers: [mnist_kedro.models.capsules.SelfAttentionRouting]
    ```
    """

    def __init__(self, *, layers: Sequence[str] = (), **kwargs: Any) -> None:
        """Creates a new instance of ``KerasModelDataset``.

        Args:
            layers: what models may be made of besides Keras's own classes: registered layers by
                module and name. They are imported when a model has them.
            **kwargs: as for kedro-datasets' ``TensorFlowModelDataset``.
        """
        super().__init__(**kwargs)
        self._layers = frozenset(layers)

    def load(self) -> keras.Model:
        """Load the model.

        Raises:
            DatasetError: when the file is damaged, or refers to code that is not Keras's.
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
        foreign = sorted(classes - self._layers)
        if foreign:
            raise DatasetError(
                f"{path}: refused, for it refers to {', '.join(foreign)}, which may run any code; "
                "expected a model of Keras's own layers, or of those that the catalog names."
            )
        for name in classes:
            load_obj(name)
        with _LOADING:
            return super().load()

    def save(self, data: keras.Model) -> None:
        """Save the model, by way of a temporary folder.

        Raises:
            OSError: when a disk is full, with the name of the file or of the temporary folder.
        """
        try:
            super().save(data)
        except DatasetError as error:
            cause = error.__cause__
            if not isinstance(cause, OSError) or cause.errno != errno.ENOSPC or cause.filename:
                raise
            folder = tempfile.gettempdir()
            free = shutil.disk_usage(folder).free
            why = f"disk full, {free:,} bytes are free; TMPDIR can name another temporary folder"
            raise OSError(cause.errno, why, folder) from error

    def preview(self) -> TablePreview:
        """The model's layers, for Kedro-Viz."""
        return TablePreview(layer_table(self.load()).to_dict("split"))


def layer_table(model: keras.Model) -> pd.DataFrame:
    """A row for each layer: ``layer`` (its name), ``type``, ``output shape``, ``parameters``."""
    rows = [
        [layer.name, type(layer).__name__, str(layer.output.shape[1:]), layer.count_params()]
        for layer in model.layers
    ]
    return pd.DataFrame(rows, columns=["layer", "type", "output shape", "parameters"])


def _read_config(file: IO[bytes]) -> Any:
    """What the model is made of; None if the file, or anything in it, is damaged."""
    try:
        with zipfile.ZipFile(file) as archive:
            return None if archive.testzip() else json.loads(archive.read("config.json"))
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, NotImplementedError):
        return None


def _foreign_classes(config: Any) -> Iterator[str]:
    """The classes and functions that a model would load from elsewhere than Keras, and Lambdas."""
    if isinstance(config, dict):
        name, module = config.get("class_name"), str(config.get("module"))
        written = f"{module}.{name}".removeprefix("None.")
        of_keras = module.partition(".")[0] == "keras" or written == _TENSOR
        if name is not None and (name == "Lambda" or not of_keras):
            yield written
        for value in config.values():
            yield from _foreign_classes(value)
    elif isinstance(config, list):
        for value in config:
            yield from _foreign_classes(value)
