"""Store checkpoints, so that an interrupted training can resume."""

import hashlib
import json
import logging
import os
import re
import secrets
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import fsspec
from kedro.io.core import DatasetError

from mnist_kedro.datasets.hdf5_dataset import HDF5Dataset
from mnist_kedro.datasets.provided_dataset import ProvidedDataset

logger = logging.getLogger(__name__)

_EPOCHS_KEPT = 2  # so that a training can resume even if its newest checkpoint is corrupt
_RUNS_KEPT = 5  # unfinished runs per network
_TRAINING_KEY = "training"  # the key of the description of the training
_FOLDER = re.compile(r".*/\w+-(?P<process>\d+)-\w+-(?P<machine>[^/]+)")  # the folder of a run


class Checkpoints:
    """The checkpoints of one network: a folder for each training of each run, a file per epoch.

    The description of a training is a flat mapping of JSON values with all settings and data that
    determine the result. Each run writes to its own folder, named after a digest of the
    description, the process, a random number and the machine. A run can resume from the
    checkpoints of every run.
    """

    def __init__(self, folder: str, protocol: str, fs: fsspec.AbstractFileSystem) -> None:
        self._folder, self._protocol, self._fs = fs._strip_protocol(folder), protocol, fs  # noqa: SLF001
        self._run = f"{os.getpid()}-{secrets.token_hex(4)}-{socket.gethostname()}"
        self._used: set[str] = set()

    def save(self, training: Mapping[str, Any], epoch: int, state: Mapping[str, Any]) -> None:
        """Save the state after an epoch, and remove older checkpoints.

        Args:
            training: description of the training.
            epoch: number of finished epochs.
            state: arrays and plain values.
        """
        folder = f"{self._folder}/{_digest(training)}-{self._run}"
        file = f"{folder}/epoch_{epoch:05d}.hdf5"
        self._dataset(file).save({**state, _TRAINING_KEY: json.dumps(training)})
        self._used.add(file)
        for old in self._find(folder)[:-_EPOCHS_KEPT]:
            self._remove(old)
        for old in self._folders_by_age()[:-_RUNS_KEPT]:
            if old != folder and not _is_in_use(old):
                self._remove(old)

    def load(self, training: Mapping[str, Any]) -> dict[str, Any] | None:
        """Load the newest readable state of a training; return None if there is none."""
        unreadable: set[str] = set()
        # Other runs save and remove checkpoints, so the files are listed again after each failure.
        while True:
            found = self._find(f"{self._folder}/{_digest(training)}*")
            files = [file for file in found if file not in unreadable]
            if not files:
                return None
            try:
                state = self._dataset(files[-1]).load()
            except DatasetError:
                unreadable.add(files[-1])
                if self._fs.exists(files[-1]):
                    logger.warning(
                        "%s: corrupt checkpoint; resuming from the previous one.", files[-1]
                    )
            else:
                self._used.update(found)
                return state

    def differences(self, training: Mapping[str, Any]) -> dict[str, tuple[Any, Any]] | None:
        """Compare the description of a training with that of the newest checkpoint.

        Returns:
            The stored and the requested value of each key that differs; None if there is no
            checkpoint.
        """
        for folder in reversed(self._folders_by_age()):
            for file in reversed(self._find(folder)):
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
        """Remove the checkpoints that this object has saved or found in :meth:`load`.

        Keep the checkpoints of other runs that are in progress.
        """
        for folder in {self._fs._parent(file) for file in self._used}:  # noqa: SLF001
            # A run on another machine is in progress if it has saved more checkpoints.
            if self._used.issuperset(self._find(folder)) and not _is_in_use(folder):
                self._remove(folder)
        self._used.clear()

    def _find(self, folders: str) -> list[str]:
        """List the checkpoints in all folders that match a pattern, ordered by their epochs."""
        self._fs.invalidate_cache()
        files = self._fs.glob(f"{folders}/epoch_*.hdf5")
        return sorted(files, key=lambda file: file.rpartition("/")[2])

    def _folders_by_age(self) -> list[str]:
        modified = {}
        for file in self._find(f"{self._folder}/*"):
            with suppress(FileNotFoundError):  # another run has just removed it
                modified[self._fs._parent(file)] = self._fs.modified(file)  # noqa: SLF001
        # Sort folders of equal age by name, so that all runs remove the same folders, even while
        # another run is removing the files of a folder.
        return sorted(modified, key=lambda folder: (modified[folder], folder))

    def _remove(self, path: str) -> None:
        with suppress(OSError):  # another run has just removed it, or added a file to it
            self._fs.rm(path, recursive=True)

    def _dataset(self, file: str) -> HDF5Dataset:
        return HDF5Dataset(filepath=f"{self._protocol}://{file}")


def _digest(training: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(training, sort_keys=True).encode()).hexdigest()[:16]


def _is_in_use(folder: str) -> bool:
    """Return whether a folder belongs to another running process on this machine."""
    run = _FOLDER.fullmatch(folder)
    if os.name == "nt" or run is None or run["machine"] != socket.gethostname():
        return False
    process = int(run["process"])
    try:
        os.kill(process, 0)  # checks whether the process exists; sends no signal
    except OSError as error:
        return isinstance(error, PermissionError)
    return process != os.getpid()


class CheckpointsDataset(ProvidedDataset[Checkpoints]):
    """Provide a network's :class:`Checkpoints` to the node that trains it.

    ```yaml
    cnn.checkpoints:
      type: mnist_kedro.datasets.CheckpointsDataset
      filepath: data/06_models/checkpoints/cnn
    ```
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Create a dataset for one network; ``filepath`` is the path of a folder."""
        super().__init__(filepath=filepath, metadata=metadata)
        options = {"auto_mkdir": True} if self._protocol == "file" else {}
        fs = fsspec.filesystem(self._protocol, **options)
        self._checkpoints = Checkpoints(str(self._filepath), self._protocol, fs)

    def load(self) -> Checkpoints:
        """Return the checkpoints, open for reading and writing."""
        return self._checkpoints
