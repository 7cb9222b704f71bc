"""Save and load Keras models. Importing this module imports TensorFlow."""

import errno
import json
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten
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

from mnist_kedro.lineage import RECORD_FILE, TrainingRecord, digest_weights, record_of

# The Keras modules that a saved network may refer to.
_KERAS_MODULES = {
    "keras",
    "keras.constraints",
    "keras.initializers",
    "keras.layers",
    "keras.regularizers",
    "keras.src.models.functional",
}
_REMEDY = (
    "train it again ('kedro run --pipelines training') or load an earlier version with "
    "--load-versions."
)

_LOAD_LOCK = Lock()  # Keras uses global state while it builds a network


class KerasModelDataset(TensorFlowModelDataset):
    """A ``TensorFlowModelDataset`` (kedro-datasets) that rejects corrupt and malicious files.

    The file also contains the training record, which is loaded as the model's attribute
    ``training_record`` (None for models saved by earlier releases of this project).

    For a truncated file, Keras itself reports "file not found". Models are loaded in Keras's safe
    mode (the default of kedro-datasets), which runs no Python code from the file. Safe mode still
    calls Keras's own functions if a file names them; this dataset rejects such files.

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
            layers: import paths of the custom layers that models may contain. Loading a model
                imports these layers, which registers them with Keras.
            **kwargs: arguments of kedro-datasets' ``TensorFlowModelDataset``.
        """
        super().__init__(**kwargs)
        self._layers = tuple(layers)
        self._cached: tuple[str, keras.Model] | None = None  # the path and the model

    def load(self) -> keras.Model:
        """Load the model, or return the cached one.

        The model is cached, because the default pipeline loads the CNN in ten nodes, and loading
        takes 0.2 s. The cache is not used after :meth:`release`, or if the version or the weights
        have changed.

        Raises:
            DatasetError: if the file is corrupt, or Keras or this dataset rejects its content.
        """
        path = get_filepath_str(self._get_load_path(), self._protocol)
        if self._cached and self._cached[0] == path and _matches_record(self._cached[1]):
            return self._cached[1]
        model = self._read_model(path)
        if self._version:  # a file without versions may change
            self._cached = (path, model)
        return model

    def _read_model(self, path: str) -> keras.Model:
        with self._fs.open(path, "rb") as file:
            config, record = _read_archive(file, path)
        for layer in self._layers:
            load_obj(layer)
        try:
            json.loads(config, object_hook=_reject_foreign)
            with _LOAD_LOCK:
                model = super().load()
        except (DatasetError, ValueError) as error:  # Kedro wraps Keras's errors
            if isinstance(error.__cause__, OSError | MemoryError):
                raise
            raise DatasetError(
                f"{path}: rejected ({_original_reason(error)}); expected only Keras layers and "
                f"those listed under 'layers' in the catalog; {_REMEDY}"
            ) from error
        model.training_record = record
        if record and not _matches_record(model):
            raise DatasetError(f"{path}: the weights do not match the training record; {_REMEDY}")
        return model

    def _release(self) -> None:
        super()._release()
        self._cached = None

    def __getstate__(self) -> dict[str, Any]:
        """Exclude the cached model from copies and pickles."""
        return {**self.__dict__, "_cached": None}

    def attributes(self) -> dict[str, Any]:
        """Load only the training record; empty if the model has none.

        Raises:
            DatasetError: if the file is corrupt.
        """
        path = get_filepath_str(self._get_load_path(), self._protocol)
        with self._fs.open(path, "rb") as file:
            _, record = _read_archive(file, path)
        return dict(record) if record else {}

    def save(self, data: keras.Model) -> None:
        """Save the model with its training record; write to a temporary folder first.

        Raises:
            OSError: if a disk is full; the message names the file or the temporary folder.
        """
        try:
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder, "model.keras")
                keras.saving.save_model(data, file, **self._save_args)
                if record := record_of(data):
                    with zipfile.ZipFile(file, "a") as archive:
                        archive.writestr(RECORD_FILE, json.dumps(record))
                self._fs.put(str(file), get_filepath_str(self._get_save_path(), self._protocol))
        except OSError as error:
            if error.errno != errno.ENOSPC or error.filename:
                raise
            folder = tempfile.gettempdir()
            free = shutil.disk_usage(folder).free
            reason = (
                f"disk full: only {free:,} bytes free; set the environment variable TMPDIR to a "
                "folder with more space"
            )
            raise OSError(error.errno, reason, folder) from error

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


def _matches_record(model: keras.Model) -> bool:
    """Return whether the weights match the training record; False for a model without record."""
    record = record_of(model)
    return record is not None and record["sha256_weights"] == digest_weights(model)


def _read_archive(file: IO[bytes], path: str) -> tuple[bytes, TrainingRecord | None]:
    """Return the configuration and training record; raise DatasetError if any part is corrupt."""
    try:
        with zipfile.ZipFile(file) as archive:
            if archive.testzip() is None:
                has_record = RECORD_FILE in archive.namelist()
                record = json.loads(archive.read(RECORD_FILE)) if has_record else None
                return archive.read("config.json"), record
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, NotImplementedError):
        pass
    raise DatasetError(f"{path}: corrupt model file; {_REMEDY}")


def _reject_foreign(config: dict[str, Any]) -> dict[str, Any]:
    """Reject functions, and Keras classes outside of ``_KERAS_MODULES``.

    Keras itself rejects classes that are neither Keras's nor registered. However, a "function" may
    name any public object of Keras, even a class, and operations such as ``Switch`` call that
    object during loading. A malicious file could thus load a SavedModel, which can write files.
    """
    module, name = str(config.get("module")), config.get("class_name")
    if name == "function":
        name = config.get("config")
    elif not module.startswith("keras") or module in _KERAS_MODULES:
        return config
    raise ValueError(f"refers to {module}.{name}")


def _original_reason(error: BaseException) -> str:
    """Return the first sentence of the original error; later errors repeat whole configurations."""
    while error.__context__ is not None:
        error = error.__context__
    return shorten(str(error).partition(". ")[0].replace("`", "'"), 200, placeholder="…")
