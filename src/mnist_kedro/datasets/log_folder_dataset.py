"""Provide local folders to libraries that write log files themselves."""

import secrets
from pathlib import Path
from typing import Any, Never, NoReturn

from kedro.io.core import (
    AbstractDataset,
    DatasetError,
    generate_timestamp,
    get_protocol_and_path,
)


def local_path(filepath: str) -> Path:
    """Convert the path of a dataset to a local path.

    Raises:
        DatasetError: if the path is not local.
    """
    protocol, path = get_protocol_and_path(filepath)
    if protocol != "file":
        raise DatasetError(
            f"{filepath}: expected a path on this machine, because the library that writes to it "
            "supports no other; set paths.local in conf/local/globals.yml."
        )
    return Path(path)


class LogFolderDataset(AbstractDataset[Never, Path]):
    """Provide a node with a folder for its logs, a new one for each run.

    ```yaml
    tensorboard_logs:
      type: mnist_kedro.datasets.LogFolderDataset
      filepath: data/08_reporting/tensorboard
    ```
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Create a dataset for the logs of one node.

        Args:
            filepath: of the local folder that contains the folders of all runs.
            metadata: ignored by Kedro; Kedro-Viz reads the dataset's layer from it.

        Raises:
            DatasetError: if the path is not local.
        """
        self._filepath = local_path(filepath)
        self.metadata = metadata

    def load(self) -> Path:
        """Return a new folder's path, from the time and a random number, without creating it."""
        return self._filepath / f"{generate_timestamp()}-{secrets.token_hex(3)}"

    def save(self, data: Never) -> NoReturn:  # noqa: ARG002
        """Raise DatasetError, because a library writes the logs itself."""
        raise DatasetError(f"{self._filepath}: logs are written during training.")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}

    def _exists(self) -> bool:
        return True
