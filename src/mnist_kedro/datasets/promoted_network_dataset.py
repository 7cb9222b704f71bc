"""Load the Keras model to fine-tune on corrections. Importing this module imports TensorFlow."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kedro.io.core import Version

from mnist_kedro.datasets.keras_model_dataset import KerasModelDataset
from mnist_kedro.datasets.provided_dataset import ProvidedDataset
from mnist_kedro.errors import InputError
from mnist_kedro.promotion import read_promoted


class PromotedNetworkDataset(ProvidedDataset[Any]):
    """Load the promoted Keras model or, if it was fine-tuned on corrections, its original.

    Each fine-tuning thus starts from the same network and uses all corrections. Held-out
    corrections were never trained on, and losses of accuracy do not accumulate.

    ```yaml
    promoted_network:
      type: mnist_kedro.datasets.promoted_network_dataset.PromotedNetworkDataset
      filepath: data/06_models
      layers: [mnist_kedro.models.capsules.SelfAttentionRouting]
    ```
    """

    local_only = True

    def __init__(self, *, layers: Sequence[str] = (), **kwargs: Any) -> None:
        """Create a dataset.

        Args:
            layers: see :class:`~mnist_kedro.datasets.keras_model_dataset.KerasModelDataset`.
            **kwargs: arguments of
                :class:`~mnist_kedro.datasets.provided_dataset.ProvidedDataset`.
        """
        super().__init__(**kwargs)
        self._layers = layers

    def load(self) -> Any:
        """Return the Keras model with its training record.

        Raises:
            InputError: if no model is promoted, or the file of the Keras model is missing.
        """
        return self._model().load()

    def attributes(self) -> dict[str, Any]:
        """Load only the training record; raise the same errors as :meth:`load`."""
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
                    f"{folder}: {name} {decision['version']} is promoted, but its Keras model, "
                    f"version {version}, is missing; promote another version: "
                    "'python -m mnist_kedro.serving models' lists all versions."
                )
            taught = dataset.attributes().get("taught")
            if taught is None:
                return dataset
            version = taught["parent"]["version"]
