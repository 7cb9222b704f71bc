"""SavedModels where TensorFlow Serving looks for them."""

import re
import secrets
from collections.abc import Mapping
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

_MAIN = "saved_model.pb"
_TIMESTAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d)\.(\d\d)\.(\d\d)\.(\d{3})Z")  # Kedro's


class SavedModelDataset(AbstractVersionedDataset[Mapping[str, bytes], dict[str, bytes]]):
    """The files of a SavedModel, in ``<name>/<integer>/``, of which each version appears at once.

    The integer is Kedro's version without what is no digit, so that the largest is the newest. The
    files are handed out as bytes: to load a SavedModel is to run whatever is in it.

    ```yaml
    cnn.saved_model:
      type: mnist_kedro.datasets.SavedModelDataset
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
        """Creates a new instance of ``SavedModelDataset``.

        Args:
            filepath: of the folder of all versions of one model; its name is the model's.
            version: of Kedro.
            metadata: ignored by Kedro; Kedro-Viz reads its layer here.
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
        """The files by their paths.

        Raises:
            DatasetError: when there is no such version.
        """
        folder = self._path(self._get_load_path().parent)
        if not self._fs.exists(f"{folder}/{_MAIN}"):
            raise DatasetError(f"{folder}: no {_MAIN}; 'kedro run --pipelines export' makes it.")
        return {
            PurePosixPath(file).relative_to(folder).as_posix(): self._fs.cat_file(file)
            for file in self._fs.find(folder)
        }

    def save(self, data: Mapping[str, bytes]) -> None:
        """Write the files under another name, which they change for theirs when all are there.

        A store without folders has them under their own, the one that makes it a model last.
        """
        folder = self._path(self._get_save_path().parent)
        if self._protocol != "file":
            self._write(folder, data)
            self._fs.invalidate_cache(self._path(self._filepath))
            return
        name = PurePosixPath(folder)
        hidden = str(name.with_name(f".{name.name}.{secrets.token_hex(4)}.tmp"))
        try:
            self._write(hidden, data)
            if self._fs.exists(folder):  # of a node that was interrupted, and runs again
                self._fs.rm(folder, recursive=True)
            self._fs.mv(hidden, folder, recursive=True)
        except BaseException:
            if self._fs.exists(hidden):
                self._fs.rm(hidden, recursive=True)
            raise

    def _write(self, folder: str, data: Mapping[str, bytes]) -> None:
        for path in sorted(data, key=lambda path: path == _MAIN):
            target = f"{folder}/{path}"
            self._fs.makedirs(target.rpartition("/")[0], exist_ok=True)
            with self._fs.open(target, "wb") as file:
                file.write(data[path])

    def _path(self, path: PurePosixPath) -> str:
        return get_filepath_str(path, self._protocol)

    def _get_versioned_path(self, version: str) -> PurePosixPath:
        return self._filepath / ("*" if version == "*" else _to_integer(version)) / _MAIN

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
    match = _TIMESTAMP.fullmatch(version)
    if match is None:
        raise DatasetError(
            f"version '{version}' has no integer for TensorFlow Serving; expected one of Kedro's, "
            "as 2026-01-31T12.00.00.000Z."
        )
    return "".join(match.groups())


def _to_version(integer: str) -> str:
    """The inverse; a version stays as it is."""
    if not re.fullmatch(r"\d{17}", integer):
        return integer
    year, rest = integer[:4], [integer[i : i + 2] for i in range(4, 14, 2)]
    month, day, hour, minute, second = rest
    return f"{year}-{month}-{day}T{hour}.{minute}.{second}.{integer[14:]}Z"
