"""Load the Keras model to teach. Importing this module imports TensorFlow."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kedro.io.core import Version

from mnist_kedro.datasets.keras_model_dataset import KerasModelDataset
from mnist_kedro.datasets.provided_dataset import ProvidedDataset
from mnist_kedro.errors import InputError
from mnist_kedro.promotion import read_promoted


class PromotedNetworkDataset(ProvidedDataset[Any]):
    """Load the Keras model whose export is promoted or, if it was taught, its untaught ancestor.

    So each teaching starts from the same network with all corrections: corrections that are held
    out were never taught, and losses do not add up.

    ```yaml
    promoted_network:
      type: mnist_kedro.datasets.promoted_network_dataset.PromotedNetworkDataset
      filepath: data/06_models
      layers: [mnist_kedro.models.capsules.SelfAttentionRouting]
    ```
    """

    local = True

    def __init__(self, *, layers: Sequence[str] = (), **kwargs: Any) -> None:
        """Create a dataset.

        Args:
            layers: as for :class:`~mnist_kedro.datasets.keras_model_dataset.KerasModelDataset`.
            **kwargs: as for :class:`~mnist_kedro.datasets.provided_dataset.ProvidedDataset`.
        """
        super().__init__(**kwargs)
        self._layers = layers

    def load(self) -> Any:
        """Return the Keras model with its training record.

        Raises:
            InputError: if no model is promoted, or its Keras model is not here.
        """
        return self._model().load()

    def attributes(self) -> dict[str, Any]:
        """Load only the training record; the errors are those of :meth:`load`."""
        return self._model().attributes()

    def _model(self) -> KerasModelDataset:
        folder = Path(self._filepath)
        decision = next(read_promoted(folder), None)
        if decision is None:
            raise InputError(
                f"{folder}: no network is promoted yet; 'kedro run --pipelines export' exports the "
                "latest one and promotes it."
            )
        name, version = decision["model"], decision["trained"]
        while True:
            dataset = KerasModelDataset(
                filepath=str(folder / f"{name}.keras"),
                layers=self._layers,
                version=Version(version, None),
            )
            if version is None or not dataset.exists():
                raise InputError(
                    f"{folder}: {name} {decision['version']} is promoted, but the Keras model that "
                    f"it was made from, version {version}, is not here; promote another one: "
                    "'python -m mnist_kedro.serving models' lists them."
                )
            taught = dataset.attributes().get("taught")
            if taught is None:
                return dataset
            version = taught["parent"]["version"]
