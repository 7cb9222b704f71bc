"""Report the progress of a training."""

import logging
import math
import time

import keras
from tqdm import tqdm

logger = logging.getLogger(__name__)

_LOG_SECONDS = 10


class EpochProgress(keras.callbacks.Callback):
    """Show a progress bar on a terminal; log the first and the last epoch, and one every 10 s.

    The other epochs are logged at level DEBUG. The callback also adds ``seconds`` to the history.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._logged = -math.inf  # time of the latest logged epoch

    def on_epoch_begin(self, epoch, logs=None):  # noqa: ARG002
        """Show the progress bar."""
        self._started = time.perf_counter()
        self._bar = tqdm(
            total=self.params["steps"],
            desc=f"{self._name} epoch {epoch + 1}/{self.params['epochs']}",
            unit="batch",
            leave=False,
            disable=None,  # tqdm shows a bar only on a terminal
        )

    def on_train_batch_end(self, batch, logs=None):  # noqa: ARG002
        """Update the progress bar, by several batches if Keras runs them at once."""
        self._bar.update(min(batch + 1, self._bar.total) - self._bar.n)

    def on_epoch_end(self, epoch, logs=None):
        """Replace the progress bar with a log line."""
        self._bar.close()
        now = time.perf_counter()
        logs["seconds"] = now - self._started
        is_detail = epoch + 1 < self.params["epochs"] and now - self._logged < _LOG_SECONDS
        self._logged = self._logged if is_detail else now
        logger.log(
            logging.DEBUG if is_detail else logging.INFO,
            "%s: epoch %d of %d, validation accuracy %.2f%%, loss %.4f, %.1f s",
            self._name,
            epoch + 1,
            self.params["epochs"],
            100 * logs["val_accuracy"],
            logs["val_loss"],
            logs["seconds"],
        )
