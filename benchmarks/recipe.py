"""Define the input of a recipe and the output of its epochs."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Digits:
    """The digits of MNIST: images ``(n, 28, 28)`` uint8, labels ``(n,)`` uint8."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    @classmethod
    def load(cls, path: Path) -> "Digits":
        """Load an ``.npz`` file with these four keys."""
        with np.load(path) as arrays:
            return cls(**{key: arrays[key] for key in cls.__dataclass_fields__})


class Clock:
    """Measure the training time, without the time to classify the test digits."""

    def __init__(self) -> None:
        self._seconds, self._started = 0.0, time.perf_counter()

    def stop(self) -> None:
        """Stop the clock."""
        self._seconds += time.perf_counter() - self._started

    def resume(self) -> None:
        """Restart the clock."""
        self._started = time.perf_counter()

    def report(self, epoch: int, predictions: np.ndarray, labels: np.ndarray) -> None:
        """Print the accuracy after an epoch, and the training time so far, as a line of JSON."""
        accuracy = float(np.mean(predictions == labels))
        line = {"epoch": epoch, "seconds": round(self._seconds, 3), "accuracy": accuracy}
        print(json.dumps(line), flush=True)
