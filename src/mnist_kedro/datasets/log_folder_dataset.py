"""Provide local folders to libraries that write log files."""

import secrets
from pathlib import Path

from kedro.io.core import generate_timestamp

from mnist_kedro.datasets.provided_dataset import ProvidedDataset


class LogFolderDataset(ProvidedDataset[Path]):
    """Provide a node with a new log folder for each run.

    ```yaml
    tensorboard_logs:
      type: mnist_kedro.datasets.LogFolderDataset
      filepath: data/08_reporting/tensorboard
    ```
    """

    local_only = True

    def load(self) -> Path:
        """Return a new path, from the time and a random number; do not create the folder."""
        return Path(self._filepath, f"{generate_timestamp()}-{secrets.token_hex(3)}")
