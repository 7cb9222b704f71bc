"""Save SavedModels in the folders that TensorFlow Serving expects."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

import fsspec
from kedro.io.core import (
    AbstractVersionedDataset,
    DatasetError,
    Version,
    get_filepath_str,
    get_protocol_and_path,
)

_PB_FILE = "saved_model.pb"
_VERSION, _INTEGER = "%Y-%m-%dT%H.%M.%S.%fZ", "%Y%m%d%H%M%S%f"


class SavedModelDataset(AbstractVersionedDataset[Mapping[str, bytes], dict[str, bytes]]):
    """Save and load the files of a SavedModel in ``<name>/<integer>/``.

    The integer consists of the digits of the version's timestamp, so that the largest integer is
    the newest version. On local disks, each version is written atomically. The files are loaded as
    bytes, because loading a SavedModel can execute arbitrary code.

    ```yaml
    cnn.saved_model:
      type: mnist_kedro.datasets.saved_model_dataset.SavedModelDataset
      filepath: data/06_models/saved_models/cnn
      versioned: true
    ```
    """

    def __init__(
        self,
        *,
        filepath: str,
        version: Version | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Create a dataset for one model.

        Args:
            filepath: folder of all versions of the model, named like the model.
            version: the versions to load and save.
            metadata: ignored by Kedro; Kedro-Viz reads the dataset's layer from it.
        """
        self._protocol, path = get_protocol_and_path(filepath, version)
        self._fs = fsspec.filesystem(self._protocol)
        self.metadata = metadata
        super().__init__(
            PurePosixPath(path),
            version or Version(None, None),
            exists_function=self._fs.exists,
            glob_function=self._fs.glob,
        )

    def load(self) -> dict[str, bytes]:
        """Load the files as a mapping of relative paths to bytes.

        Raises:
            DatasetError: if the version does not exist.
        """
        folder = self._path(self._get_load_path().parent)
        if not self._fs.exists(f"{folder}/{_PB_FILE}"):
            raise DatasetError(
                f"{folder}: {_PB_FILE} is missing; 'kedro run --pipelines export' creates it."
            )
        return {
            PurePosixPath(file).relative_to(folder).as_posix(): self._fs.cat_file(file)
            for file in self._fs.find(folder)
        }

    def save(self, data: Mapping[str, bytes]) -> None:
        """Write the files to a temporary folder, and rename it when it is complete.

        Remote stores cannot rename folders, so ``saved_model.pb``, which marks a complete version,
        is written last.
        """
        folder = self._path(self._get_save_path().parent)
        if self._protocol != "file":
            self._write(folder, data)
            self._fs.invalidate_cache(self._path(self._filepath))
            return
        name = PurePosixPath(folder)
        temporary = str(name.with_name(f".{name.name}.{secrets.token_hex(4)}.tmp"))
        try:
            self._write(temporary, data)
            if self._fs.exists(folder):  # left by an interrupted run of the same node
                self._fs.rm(folder, recursive=True)
            self._fs.mv(temporary, folder, recursive=True)
        except BaseException:
            if self._fs.exists(temporary):
                self._fs.rm(temporary, recursive=True)
            raise

    def _write(self, folder: str, data: Mapping[str, bytes]) -> None:
        for path in sorted(data, key=lambda path: path == _PB_FILE):
            target = f"{folder}/{path}"
            self._fs.makedirs(target.rpartition("/")[0], exist_ok=True)
            with self._fs.open(target, "wb") as file:
                file.write(data[path])

    def _path(self, path: PurePosixPath) -> str:
        return get_filepath_str(path, self._protocol)

    def _get_versioned_path(self, version: str) -> PurePosixPath:
        return self._filepath / ("*" if version == "*" else _to_integer(version)) / _PB_FILE

    def _get_version_from_path(self, path: str) -> str:
        return _to_version(PurePosixPath(path).parent.name)

    def _fetch_latest_load_version(self) -> str:
        self._cached_load_version = _to_version(super()._fetch_latest_load_version())
        return self._cached_load_version

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "protocol": self._protocol, "version": self._version}

    def _exists(self) -> bool:
        return bool(self._fs.exists(self._path(self._get_load_path())))


def _to_integer(version: str) -> str:
    try:
        return datetime.strptime(version, _VERSION).strftime(_INTEGER)[:-3]  # milliseconds
    except ValueError as error:
        raise DatasetError(
            f"cannot convert version '{version}' to an integer for TensorFlow Serving; expected a "
            "Kedro version such as 2026-01-31T12.00.00.000Z."
        ) from error


def _to_version(integer: str) -> str:
    """Convert an integer back to a version; return a version unchanged."""
    if not integer.isdecimal():
        return integer
    return datetime.strptime(f"{integer}000", _INTEGER).strftime(_VERSION)[:-4] + "Z"
