"""Load the exported model that is served."""

import json
from contextlib import suppress
from typing import Any, NamedTuple

import fsspec

from mnist_kedro.datasets.provided_dataset import ProvidedDataset
from mnist_kedro.promotion import FILE, Promotion


class PromotedModel(NamedTuple):
    """The exported model that is served."""

    decision: Promotion  # the decision that promoted the model
    description: dict[str, Any]
    file: bytes  # ONNX


class PromotedModelDataset(ProvidedDataset[PromotedModel | None]):
    """Load the promoted model from a folder of exported models; None if no model is promoted.

    ```yaml
    promoted_model:
      type: mnist_kedro.datasets.PromotedModelDataset
      filepath: data/06_models
    ```
    """

    def load(self) -> PromotedModel | None:
        """Return the promoted model; None if no model is promoted, or its files are missing."""
        decision = self.decision()
        if decision is None:
            return None
        name, version = decision["model"], decision["version"]
        try:
            description = json.loads(self._read(f"{name}_onnx.json/{version}/{name}_onnx.json"))
            file = self._read(f"{name}.onnx/{version}/{name}.onnx")
        except FileNotFoundError:
            return None
        return PromotedModel(decision, description, file)

    def decision(self) -> Promotion | None:
        """Return the decision that promoted the model; None if no model is promoted."""
        fs = fsspec.filesystem(self._protocol)
        for path in sorted(fs.glob(f"{self._filepath}/{FILE}/*/{FILE}"), reverse=True):
            with suppress(ValueError):  # a corrupt file; the previous decision is valid
                decision: Promotion = json.loads(fs.cat_file(path))
                if decision["promoted"]:
                    return decision
        return None

    def _read(self, path: str) -> bytes:
        content: bytes = fsspec.filesystem(self._protocol).cat_file(f"{self._filepath}/{path}")
        return content
