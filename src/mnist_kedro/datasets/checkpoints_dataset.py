"""Store checkpoints, from which an interrupted training resumes."""

import hashlib
import json
import logging
from collections.abc import Mapping
from typing import Any

import fsspec
from kedro.io.core import DatasetError

from mnist_kedro.datasets.hdf5_dataset import HDF5Dataset
from mnist_kedro.datasets.provided_dataset import ProvidedDataset

logger = logging.getLogger(__name__)

_EPOCHS_KEPT = 2  # so that a training can resume even if its newest checkpoint is corrupt
_TRAININGS_KEPT = 5  # unfinished trainings per network
_TRAINING_KEY = "training"  # of a training's description in its checkpoints


class Checkpoints:
    """The checkpoints of one network: a folder for each training, a file for each epoch.

    A training is described by everything that its result depends on: a flat mapping of JSON values.
    The description determines the folder, so concurrent runs share one only if they train the same.
    """

    def __init__(self, folder: str, protocol: str, fs: fsspec.AbstractFileSystem) -> None:
        self._folder, self._protocol, self._fs = folder, protocol, fs
        self._used: set[str] = set()

    def save(self, training: Mapping[str, Any], epoch: int, state: Mapping[str, Any]) -> None:
        """Save the state after an epoch, and remove older checkpoints.

        Args:
            training: description of the training.
            epoch: number of finished epochs.
            state: arrays and plain values.
        """
        folder = self._training_folder(training)
        self._dataset(f"{folder}/epoch_{epoch:05d}.hdf5").save(
            {**state, _TRAINING_KEY: json.dumps(training)}
        )
        self._used.add(folder)
        for file in self._checkpoint_files(folder)[:-_EPOCHS_KEPT]:
            self._fs.rm(file)
        for old in self._folders_by_age()[:-_TRAININGS_KEPT]:
            self._fs.rm(old, recursive=True)

    def load(self, training: Mapping[str, Any]) -> dict[str, Any] | None:
        """Load the newest readable state of a training; return None if there is none."""
        folder = self._training_folder(training)
        for file in reversed(self._checkpoint_files(folder)):
            try:
                state = self._dataset(file).load()
            except DatasetError:
                logger.warning("%s: corrupt checkpoint; resuming from the previous one.", file)
            else:
                self._used.add(folder)
                return state
        return None

    def differences(self, training: Mapping[str, Any]) -> dict[str, tuple[Any, Any]] | None:
        """Compare a training with the newest stored one.

        Returns:
            The stored and the requested value of each difference; None if no training is stored.
        """
        for folder in reversed(self._folders_by_age()):
            for file in reversed(self._checkpoint_files(folder)):
                try:
                    stored = json.loads(self._dataset(file).load()[_TRAINING_KEY])
                except DatasetError:
                    continue
                requested = json.loads(json.dumps(training))
                return {
                    key: (stored.get(key), requested.get(key))
                    for key in [*stored, *(key for key in requested if key not in stored)]
                    if stored.get(key) != requested.get(key)
                }
        return None

    def remove_used(self) -> None:
        """Remove the checkpoints of all trainings that this object saved or loaded."""
        for folder in self._used:
            if self._fs.exists(folder):
                self._fs.rm(folder, recursive=True)
        self._used.clear()

    def adopt(self, other: "Checkpoints") -> None:
        """Mark the trainings that were used in another process as used here."""
        self._used |= other._used  # noqa: SLF001

    def _training_folder(self, training: Mapping[str, Any]) -> str:
        description = json.dumps(training, sort_keys=True).encode()
        return f"{self._folder}/{hashlib.sha256(description).hexdigest()[:16]}"

    def _checkpoint_files(self, folder: str) -> list[str]:
        return sorted(self._fs.glob(f"{folder}/epoch_*.hdf5"))

    def _folders_by_age(self) -> list[str]:
        modified = {
            self._fs._parent(file): self._fs.modified(file)  # noqa: SLF001
            for file in self._checkpoint_files(f"{self._folder}/*")
        }
        return sorted(modified, key=lambda folder: modified[folder])

    def _dataset(self, file: str) -> HDF5Dataset:
        return HDF5Dataset(filepath=f"{self._protocol}://{file}")


class CheckpointsDataset(ProvidedDataset[Checkpoints]):
    """Provide a network's :class:`Checkpoints` to the node that trains it.

    ```yaml
    cnn.checkpoints:
      type: mnist_kedro.datasets.CheckpointsDataset
      filepath: data/06_models/checkpoints/cnn
    ```
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Create a dataset for one network; ``filepath`` is that of a folder."""
        super().__init__(filepath=filepath, metadata=metadata)
        options = {"auto_mkdir": True} if self._protocol == "file" else {}
        fs = fsspec.filesystem(self._protocol, **options)
        self._checkpoints = Checkpoints(str(self._filepath), self._protocol, fs)

    def load(self) -> Checkpoints:
        """Return the checkpoints, to be read and written."""
        return self._checkpoints

    def adopt(self, other: "CheckpointsDataset") -> None:
        """Mark trainings as used, like :meth:`Checkpoints.adopt`; the Dask runner calls this."""
        self._checkpoints.adopt(other.load())
