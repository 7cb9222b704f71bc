"""What a recipe is given and what it tells."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Digits:
    """MNIST: images ``(n, 28, 28)`` uint8, labels ``(n,)`` uint8."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    @classmethod
    def load(cls, path: Path) -> "Digits":
        """From an ``.npz`` with these four keys."""
        with np.load(path) as arrays:
            return cls(**{key: arrays[key] for key in cls.__dataclass_fields__})


class Clock:
    """Seconds of training: it stands still while the test digits are classified."""

    def __init__(self) -> None:
        self._seconds, self._started = 0.0, time.perf_counter()

    def stop(self) -> None:
        """Training pauses."""
        self._seconds += time.perf_counter() - self._started

    def go_on(self) -> None:
        """Training goes on."""
        self._started = time.perf_counter()

    def tell(self, epoch: int, predictions: np.ndarray, labels: np.ndarray) -> None:
        """Print a line of JSON: what was reached, and after how many seconds."""
        accuracy = float(np.mean(predictions == labels))
        line = {"epoch": epoch, "seconds": round(self._seconds, 3), "accuracy": accuracy}
        print(json.dumps(line), flush=True)
