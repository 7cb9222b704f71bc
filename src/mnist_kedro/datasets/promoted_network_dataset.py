"""Load the Keras model of the network that is served. Importing this module imports TensorFlow."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kedro.io.core import Version

from mnist_kedro.datasets.keras_model_dataset import KerasModelDataset
from mnist_kedro.datasets.provided_dataset import ProvidedDataset
from mnist_kedro.errors import InputError
from mnist_kedro.promotion import read_promoted


class PromotedNetworkDataset(ProvidedDataset[Any]):
    """Load the Keras model whose export is promoted.

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
        dataset = KerasModelDataset(
            filepath=str(folder / f"{decision['model']}.keras"),
            layers=self._layers,
            version=Version(decision["trained"], None),
        )
        if decision["trained"] is None or not dataset.exists():
            raise InputError(
                f"{folder}: {decision['model']} {decision['version']} is promoted, but the Keras "
                f"model that it was exported from, version {decision['trained']}, is not here; "
                "promote another one: 'python -m mnist_kedro.serving models' lists them."
            )
        return dataset
