"""Provide the ingestion with the credentials of the store that holds the source."""

from typing import Any, Never, NoReturn

from kedro.io.core import AbstractDataset, DatasetError

from mnist_kedro.remote_store import SourceStore


class SourceStoreDataset(AbstractDataset[Never, SourceStore]):
    """Load an object that opens addresses with credentials; there is nothing to save."""

    def __init__(
        self,
        *,
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Create a dataset.

        Args:
            credentials: for the fsspec file system of the source.
            fs_args: other options of the file system.
            metadata: ignored by Kedro; Kedro-Viz reads the dataset's layer from it.
        """
        self._options = {**(credentials or {}), **(fs_args or {})}
        self.metadata = metadata

    def load(self) -> SourceStore:
        """Return the object that opens addresses."""
        return SourceStore(self._options)

    def save(self, data: Never) -> NoReturn:  # noqa: ARG002
        """Raise DatasetError."""
        raise DatasetError("source_store: only opens sources; nothing can be saved.")

    def _describe(self) -> dict[str, Any]:
        return {"options": sorted(self._options)}  # only their names: the values may be secret

    def _exists(self) -> bool:
        return True
