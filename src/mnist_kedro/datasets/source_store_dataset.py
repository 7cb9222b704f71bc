"""Provide the ingestion pipeline with the credentials of a remote source."""

from typing import Any, Never, NoReturn

from kedro.io.core import AbstractDataset, DatasetError

from mnist_kedro.remote_store import SourceStore


class SourceStoreDataset(AbstractDataset[Never, SourceStore]):
    """Load a :class:`SourceStore`, which opens URLs with credentials; it cannot be saved."""

    def __init__(
        self,
        *,
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Create a dataset.

        Args:
            credentials: credentials of the source's fsspec file system.
            fs_args: other options of the file system.
            metadata: ignored by Kedro; Kedro-Viz reads the dataset's layer from it.
        """
        self._options = {**(credentials or {}), **(fs_args or {})}
        self.metadata = metadata

    def load(self) -> SourceStore:
        """Return the store."""
        return SourceStore(self._options)

    def save(self, data: Never) -> NoReturn:  # noqa: ARG002
        """Raise DatasetError."""
        raise DatasetError("source_store is read-only: it only opens sources.")

    def _describe(self) -> dict[str, Any]:
        return {"options": sorted(self._options)}  # only names, because values may be secret

    def _exists(self) -> bool:
        return True
