"""Where trainings keep what they need to go on after an interruption."""

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Never, NoReturn

import fsspec
from kedro.io.core import AbstractDataset, DatasetError, get_protocol_and_path

from mnist_kedro.datasets.hdf5_dataset import HDF5Dataset

logger = logging.getLogger(__name__)

_EPOCHS_KEPT = 2  # should the newest be damaged, there is the one before
_TRAININGS_KEPT = 5  # unfinished ones of a network
_TRAINING = "training"


class Checkpoints:
    """The checkpoints of one network: a folder for each training, a file for each epoch.

    A training is described by all that its result depends on, a flat mapping of JSON values. Two
    runs at once that train differently write to different folders; two that train alike write the
    same.
    """

    def __init__(self, folder: str, protocol: str, fs: fsspec.AbstractFileSystem) -> None:
        self._folder, self._protocol, self._fs = folder, protocol, fs
        self._used: set[str] = set()

    def save(self, training: Mapping[str, Any], epoch: int, state: Mapping[str, Any]) -> None:
        """Save the state after an epoch, and remove what is older than the one before.

        Args:
            training: its description.
            epoch: how many are done.
            state: arrays and plain values.
        """
        folder = self._of(training)
        self._dataset(f"{folder}/epoch_{epoch:05d}.hdf5").save(
            {**state, _TRAINING: json.dumps(training)}
        )
        self._used.add(folder)
        for file in self._files(folder)[:-_EPOCHS_KEPT]:
            self._fs.rm(file)
        for old in self._by_age()[:-_TRAININGS_KEPT]:
            self._fs.rm(old, recursive=True)

    def load(self, training: Mapping[str, Any]) -> dict[str, Any] | None:
        """The newest state of a training that can be read; None if there is none."""
        folder = self._of(training)
        for file in reversed(self._files(folder)):
            try:
                state = self._dataset(file).load()
            except DatasetError:
                logger.warning("%s: damaged checkpoint; going back to the one before it.", file)
            else:
                self._used.add(folder)
                return state
        return None

    def differences(self, training: Mapping[str, Any]) -> dict[str, tuple[Any, Any]] | None:
        """How the newest of the other trainings differs: what it had, and what is asked for.

        None if there is no other.
        """
        for folder in reversed(self._by_age()):
            for file in reversed(self._files(folder)):
                try:
                    other = json.loads(self._dataset(file).load()[_TRAINING])
                except DatasetError:
                    continue
                asked = json.loads(json.dumps(training))
                return {
                    key: (other.get(key), asked.get(key))
                    for key in [*other, *(key for key in asked if key not in other)]
                    if other.get(key) != asked.get(key)
                }
        return None

    def remove_used(self) -> None:
        """Remove the checkpoints of the trainings that were saved or loaded here."""
        for folder in self._used:
            if self._fs.exists(folder):
                self._fs.rm(folder, recursive=True)
        self._used.clear()

    def adopt(self, other: "Checkpoints") -> None:
        """Take what was saved and loaded there, in another process, for used here."""
        self._used |= other._used  # noqa: SLF001

    def _of(self, training: Mapping[str, Any]) -> str:
        description = json.dumps(training, sort_keys=True).encode()
        return f"{self._folder}/{hashlib.sha256(description).hexdigest()[:16]}"

    def _files(self, folder: str) -> list[str]:
        return sorted(self._fs.glob(f"{folder}/epoch_*.hdf5"))

    def _by_age(self) -> list[str]:
        newest = {
            self._fs._parent(file): self._fs.modified(file)  # noqa: SLF001
            for file in self._files(f"{self._folder}/*")
        }
        return sorted(newest, key=lambda folder: newest[folder])

    def _dataset(self, file: str) -> HDF5Dataset:
        return HDF5Dataset(filepath=f"{self._protocol}://{file}")


class CheckpointsDataset(AbstractDataset[Never, Checkpoints]):
    """Hands a network's :class:`Checkpoints` to the node that trains it.

    ```yaml
    cnn.checkpoints:
      type: mnist_kedro.datasets.CheckpointsDataset
      filepath: data/06_models/checkpoints/cnn
    ```
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Creates a new instance of ``CheckpointsDataset``.

        Args:
            filepath: of a folder, with a protocol like ``s3://`` if it is not local.
            metadata: ignored by Kedro; Kedro-Viz reads its layer here.
        """
        self._protocol, path = get_protocol_and_path(filepath)
        self._filepath = PurePosixPath(path)
        self.metadata = metadata
        options = {"auto_mkdir": True} if self._protocol == "file" else {}
        self._checkpoints = Checkpoints(
            path, self._protocol, fsspec.filesystem(self._protocol, **options)
        )

    def load(self) -> Checkpoints:
        """The checkpoints, to read and to write."""
        return self._checkpoints

    def save(self, data: Never) -> NoReturn:  # noqa: ARG002
        """Refuse: a training writes its checkpoints itself."""
        raise DatasetError(f"{self._filepath}: checkpoints are written during a training.")

    def adopt(self, other: "CheckpointsDataset") -> None:
        """Take what was used there for used here; a runner on more machines calls it."""
        self._checkpoints.adopt(other.load())

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "protocol": self._protocol}

    def _exists(self) -> bool:
        return True
