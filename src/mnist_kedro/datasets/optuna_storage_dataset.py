"""Store the trials of an Optuna search. Importing this module imports Optuna."""

import warnings
from contextlib import suppress
from pathlib import Path

from kedro.io.core import DatasetError

from mnist_kedro.datasets.atomic_filesystem import new_file
from mnist_kedro.datasets.provided_dataset import ProvidedDataset

try:
    import optuna
except ImportError as error:
    raise DatasetError(
        "Optuna is not installed, but the tuning pipeline needs it: "
        "pip install 'mnist_kedro[tuning]' or 'pip install optuna'."
    ) from error

# Optuna abandons a trial that sends no heartbeat during the grace period, and retries its values.
_HEARTBEAT_SECONDS, _GRACE_SECONDS = 10, 60


class OptunaStorageDataset(ProvidedDataset[optuna.storages.RDBStorage]):
    """Provide Optuna's storage, an SQLite file, to the tuning node.

    Several runs can share one search. kedro-datasets' ``StudyDataset`` saves a study only when the
    search ends, so an interrupted search is lost.

    ```yaml
    tuning_storage:
      type: mnist_kedro.datasets.optuna_storage_dataset.OptunaStorageDataset
      filepath: data/06_models/tuning.sqlite3
    ```
    """

    local_only = True

    def load(self) -> optuna.storages.RDBStorage:
        """Return the storage, open for reading and writing."""
        path = Path(self._filepath).absolute()
        _create_file(path)
        with warnings.catch_warnings():
            # Optuna has marked heartbeats as experimental since 2021.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.storages.RDBStorage(
                f"sqlite:///{path}",
                heartbeat_interval=_HEARTBEAT_SECONDS,
                grace_period=_GRACE_SECONDS,
                heartbeat_stale_trial_callback=optuna.storages.RetryHeartbeatStaleTrialCallback(),
            )


def _create_file(path: Path) -> None:
    """Create the file with Optuna's tables unless it exists.

    Optuna itself fails if two runs create the tables at the same time.
    """
    with suppress(FileExistsError), new_file(path) as file:
        if path.exists():
            raise FileExistsError
        optuna.storages.RDBStorage(f"sqlite:///{file.path}").engine.dispose()
