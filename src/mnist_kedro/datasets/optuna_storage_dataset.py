"""Where Optuna keeps the trials of a search. Importing this module imports Optuna."""

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

# A trial whose run gives no sign of life is taken for dead, and its values are tried again.
_HEARTBEAT_SECONDS, _GRACE_SECONDS = 10, 60


class OptunaStorageDataset(AbstractDataset[Never, optuna.storages.RDBStorage]):
    """Hands Optuna's storage, an SQLite file, to the node that searches.

    Several runs may search at once and share the work. kedro-datasets' ``StudyDataset`` saves a
    study when it is done, so an interrupted one is lost.

    ```yaml
    tuning_storage:
      type: mnist_kedro.datasets.optuna_storage_dataset.OptunaStorageDataset
      filepath: data/06_models/tuning.sqlite3
    ```
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Creates a new instance of ``OptunaStorageDataset``.

        Args:
            filepath: of a local file, made when it is not there.
            metadata: ignored by Kedro; Kedro-Viz reads its layer here.

        Raises:
            DatasetError: when the path is not local.
        """
        self._filepath = local_path(filepath)
        self.metadata = metadata

    def load(self) -> optuna.storages.RDBStorage:
        """The storage, to read and to write."""
        self._filepath.parent.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            # Heartbeats have been called experimental since 2021.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.storages.RDBStorage(
                f"sqlite:///{self._filepath.absolute()}",
                heartbeat_interval=_HEARTBEAT_SECONDS,
                grace_period=_GRACE_SECONDS,
                heartbeat_stale_trial_callback=optuna.storages.RetryHeartbeatStaleTrialCallback(),
            )

    def save(self, data: Never) -> NoReturn:  # noqa: ARG002
        """Refuse: a search writes its trials itself."""
        raise DatasetError(f"{self._filepath}: trials are written during a search.")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}

    def _exists(self) -> bool:
        return True
