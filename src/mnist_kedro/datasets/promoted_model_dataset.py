"""Load the exported model that is served."""

import json
from contextlib import suppress
from typing import Any, NamedTuple

import fsspec

from mnist_kedro.datasets.provided_dataset import ProvidedDataset
from mnist_kedro.promotion import FILE, Promotion


class PromotedModel(NamedTuple):
    """The exported model that is served."""

    decision: Promotion  # that promoted it
    description: dict[str, Any]
    file: bytes  # ONNX


class PromotedModelDataset(ProvidedDataset[PromotedModel | None]):
    """Load the promoted model from a folder of exported models; None if there is none.

    ```yaml
    promoted_model:
      type: mnist_kedro.datasets.PromotedModelDataset
      filepath: data/06_models
    ```
    """

    def load(self) -> PromotedModel | None:
        """Return the model, None if there is none or its files are gone."""
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
        """Return the decision that promoted the model; None if there is none."""
        fs = fsspec.filesystem(self._protocol)
        for path in sorted(fs.glob(f"{self._filepath}/{FILE}/*/{FILE}"), reverse=True):
            with suppress(ValueError):  # damaged; the one before is still true
                decision: Promotion = json.loads(fs.cat_file(path))
                if decision["promoted"]:
                    return decision
        return None

    def _read(self, path: str) -> bytes:
        content: bytes = fsspec.filesystem(self._protocol).cat_file(f"{self._filepath}/{path}")
        return content
