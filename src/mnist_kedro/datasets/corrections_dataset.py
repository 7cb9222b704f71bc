"""Load the corrections that people made in the web app."""

from pathlib import Path
from typing import Any

import numpy as np

from mnist_kedro.corrections import pixels_of, read_corrections
from mnist_kedro.datasets.provided_dataset import ProvidedDataset


class CorrectionsDataset(ProvidedDataset[dict[str, Any]]):
    """Load all corrections from a folder as arrays; the web app writes one file per correction.

    The folder changes while people use the app, so the pipeline ``teaching`` first saves the
    loaded corrections as a version of the dataset ``corrections_snapshot``.

    ```yaml
    corrections:
      type: mnist_kedro.datasets.CorrectionsDataset
      filepath: data/01_raw/corrections
    ```
    """

    local_only = True

    def load(self) -> dict[str, Any]:
        """Return the corrections, sorted by identifier.

        Returns:
            ``images`` ``(n, 28, 28, 1)`` uint8, ``labels`` ``(n,)`` uint8 (0–9, 10: no digit),
            ``answers`` ``(n,)`` uint8 (the predicted digits) and ``identifiers`` ``(n,)``
            of 32 ASCII bytes each.
        """
        found = list(read_corrections(Path(self._filepath)))
        images = [pixels_of(correction) for _, correction in found]
        return {
            "images": np.array(images, np.uint8).reshape(-1, 28, 28, 1),
            "labels": np.array([correction["label"] for _, correction in found], np.uint8),
            "answers": np.array([one["answer"].get("digit", 0) for _, one in found], np.uint8),
            "identifiers": np.array([identifier for identifier, _ in found], "S32"),
        }
