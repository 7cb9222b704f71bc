"""Store the trials of an Optuna search. Importing this module imports Optuna."""

import warnings
from typing import Any, Never, NoReturn

from kedro.io.core import AbstractDataset, DatasetError

from mnist_kedro.datasets.log_folder_dataset import local_path

try:
    import optuna
except ImportError as error:
    raise DatasetError(
        "Optuna is not installed, but the tuning pipeline needs it: "
        "pip install 'mnist_kedro[tuning]' or 'pip install optuna'."
    ) from error

# Optuna gives up a trial without heartbeats for the grace period, and retries its values.
_HEARTBEAT_SECONDS, _GRACE_SECONDS = 10, 60


class OptunaStorageDataset(AbstractDataset[Never, optuna.storages.RDBStorage]):
    """Provide Optuna's storage, an SQLite file, to the node that searches.

    Several runs can share one search. kedro-datasets' ``StudyDataset`` saves a study only at its
    end, so it loses interrupted searches.

    ```yaml
    tuning_storage:
      type: mnist_kedro.datasets.optuna_storage_dataset.OptunaStorageDataset
      filepath: data/06_models/tuning.sqlite3
    ```
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Create a dataset for one storage.

        Args:
            filepath: of a local file, which is created if it is missing.
            metadata: ignored by Kedro; Kedro-Viz reads the dataset's layer from it.

        Raises:
            DatasetError: if the path is not local.
        """
        self._filepath = local_path(filepath)
        self.metadata = metadata

    def load(self) -> optuna.storages.RDBStorage:
        """Return the storage, to be read and written."""
        self._filepath.parent.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            # Optuna has marked heartbeats as experimental since 2021.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.storages.RDBStorage(
                f"sqlite:///{self._filepath.absolute()}",
                heartbeat_interval=_HEARTBEAT_SECONDS,
                grace_period=_GRACE_SECONDS,
                heartbeat_stale_trial_callback=optuna.storages.RetryHeartbeatStaleTrialCallback(),
            )

    def save(self, data: Never) -> NoReturn:  # noqa: ARG002
        """Raise DatasetError, because a search writes its trials itself."""
        raise DatasetError(f"{self._filepath}: trials are written during a search.")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}

    def _exists(self) -> bool:
        return True
