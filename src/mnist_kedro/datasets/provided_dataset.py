"""Provide nodes with a path that a library writes to directly, such as a log folder."""

from pathlib import PurePosixPath
from typing import Any, Never, NoReturn, TypeVar

from kedro.io.core import AbstractDataset, DatasetError, get_protocol_and_path

_T = TypeVar("_T")


class ProvidedDataset(AbstractDataset[Never, _T]):
    """Base class of datasets that nodes load but never save.

    Loading returns an object or a path; for example, a library writes its logs to this path.

    Subclasses define :meth:`load`.
    """

    local_only = False  # whether the library supports only local paths

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Create a dataset.

        Args:
            filepath: a file or folder, with a protocol such as ``s3://`` if it is not local.
            metadata: ignored by Kedro; Kedro-Viz reads the dataset's layer from it.

        Raises:
            DatasetError: if the path is remote, but the library supports only local paths.
        """
        self._protocol, path = get_protocol_and_path(filepath)
        self._filepath = PurePosixPath(path)
        self.metadata = metadata
        if self.local_only and self._protocol != "file":
            raise DatasetError(
                f"{filepath}: expected a local path, because the library cannot write to remote "
                "stores; set paths.local in conf/local/globals.yml."
            )

    def save(self, data: Never) -> NoReturn:  # noqa: ARG002
        """Raise DatasetError."""
        raise DatasetError(
            f"{self._filepath}: this dataset cannot be saved; load it, and use the loaded object."
        )

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "protocol": self._protocol}

    def _exists(self) -> bool:
        return True
