"""Keras models in the catalog. Importing this module imports TensorFlow."""

import zipfile
from typing import IO

from kedro.io.core import DatasetError, get_filepath_str

from mnist_kedro import models  # noqa: F401  (imports TensorFlow without its start-up messages)

# isort: split
import keras
from kedro_datasets._typing import TablePreview
from kedro_datasets.tensorflow import TensorFlowModelDataset


class KerasModelDataset(TensorFlowModelDataset):
    """kedro-datasets' ``TensorFlowModelDataset`` for ``.keras`` files that may be damaged.

    Keras says "file not found" of a file that is there but truncated. Models are loaded in safe
    mode, kedro-datasets' default: no code in a file is run.

    ```yaml
    cnn.model:
      type: mnist_kedro.datasets.keras_model_dataset.KerasModelDataset
      filepath: data/06_models/cnn.keras
      versioned: true
    ```
    """

    def load(self) -> keras.Model:
        """Load the model.

        Raises:
            DatasetError: when the file is damaged.
        """
        path = get_filepath_str(self._get_load_path(), self._protocol)
        with self._fs.open(path, "rb") as file:
            damaged = not zipfile.is_zipfile(file) or _first_bad_member(file)
        if damaged:
            raise DatasetError(
                f"{path}: corrupt model file; train it again ('kedro run --pipelines training') "
                "or name an earlier version with --load-versions."
            )
        return super().load()

    def preview(self) -> TablePreview:
        """The model's layers, for Kedro-Viz."""
        layers = self.load().layers
        rows = [
            [layer.name, type(layer).__name__, str(layer.output.shape[1:]), layer.count_params()]
            for layer in layers
        ]
        columns = ["layer", "type", "output shape", "parameters"]
        return TablePreview({"index": list(range(len(rows))), "columns": columns, "data": rows})


def _first_bad_member(file: IO[bytes]) -> str | None:
    with zipfile.ZipFile(file) as archive:
        return archive.testzip()
