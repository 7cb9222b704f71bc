"""Folders for what a library logs by itself."""

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
    """The path, if it is a local one.

    Raises:
        DatasetError: when it is not.
    """
    protocol, path = get_protocol_and_path(filepath)
    if protocol != "file":
        raise DatasetError(
            f"{filepath}: expected a path on this machine, for it is written to by a library that "
            "knows no other; name one as paths.local in conf/local/globals.yml."
        )
    return Path(path)


class LogFolderDataset(AbstractDataset[Never, Path]):
    """Hands a node a folder of its own to write logs to, which no other run has.

    ```yaml
    cnn.tensorboard_logs:
      type: mnist_kedro.datasets.LogFolderDataset
      filepath: data/08_reporting/tensorboard/cnn
    ```
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Creates a new instance of ``LogFolderDataset``.

        Args:
            filepath: of the local folder that those of all runs are in.
            metadata: ignored by Kedro; Kedro-Viz reads its layer here.

        Raises:
            DatasetError: when the path is not local.
        """
        self._filepath = local_path(filepath)
        self.metadata = metadata

    def load(self) -> Path:
        """A new folder, named by the time and by chance; it is made by whoever writes to it."""
        return self._filepath / f"{generate_timestamp()}-{secrets.token_hex(3)}"

    def save(self, data: Never) -> NoReturn:  # noqa: ARG002
        """Refuse: logs are written by the library that makes them."""
        raise DatasetError(f"{self._filepath}: logs are written during a training.")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}

    def _exists(self) -> bool:
        return True
