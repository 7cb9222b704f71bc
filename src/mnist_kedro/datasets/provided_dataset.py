"""Provide nodes with a place to which a library writes by itself, such as a folder for logs."""

from pathlib import PurePosixPath
from typing import Any, Never, NoReturn, TypeVar

from kedro.io.core import AbstractDataset, DatasetError, get_protocol_and_path

_T = TypeVar("_T")


class ProvidedDataset(AbstractDataset[Never, _T]):
    """Load an object that writes to a path while a node runs; there is nothing to save at its end.

    Subclasses define :meth:`load`.
    """

    local = False  # whether the library that writes supports local paths only

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Create a dataset.

        Args:
            filepath: of a file or folder, with a protocol such as ``s3://`` if it is not local.
            metadata: ignored by Kedro; Kedro-Viz reads the dataset's layer from it.

        Raises:
            DatasetError: if the path is not local, but has to be.
        """
        self._protocol, path = get_protocol_and_path(filepath)
        self._filepath = PurePosixPath(path)
        self.metadata = metadata
        if self.local and self._protocol != "file":
            raise DatasetError(
                f"{filepath}: expected a path on this machine, because the library that writes to "
                "it supports no other; set paths.local in conf/local/globals.yml."
            )

    def save(self, data: Never) -> NoReturn:  # noqa: ARG002
        """Raise DatasetError."""
        raise DatasetError(f"{self._filepath}: is written while a node runs, not by saving.")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "protocol": self._protocol}

    def _exists(self) -> bool:
        return True
