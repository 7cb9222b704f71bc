"""Read HDF5 files that somebody made, in a process of their own, which may crash."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any, Self

import numpy as np

from mnist_kedro.errors import InputError
from mnist_kedro.sources import hdf5_child
from mnist_kedro.sources.contents import Contents, FuelRange, StoredArray

LOCKED_SECONDS = 10.0  # how long to wait for a program that is writing the file
_PATIENCE_SECONDS = 8.0  # how long an answer may take; for values, longer by
_SLOWEST_BYTES = 20e6  # a second for so many
_LARGEST_CHUNK = 2**30  # bytes; HDF5 unpacks a chunk at once

_FAULTS = {
    "foreign": "not an HDF5 file, whatever its name says",
    "locked": "in use: another program is writing it; close that program and try again",
    "truncated": "truncated HDF5 file; copy or download it again",
    "damaged": "damaged HDF5 file; copy or download it again",
}


@contextmanager
def open_hdf5(path: Path) -> Iterator[Contents]:
    """Describe the datasets of an HDF5 file, which can be read until it is left.

    Raises:
        InputError: when the file is empty, truncated, damaged, not HDF5 or locked, or has links
            that lead elsewhere. So does the ``read`` of a dataset that is damaged or lies in
            another file.
    """
    if path.stat().st_size == 0:
        raise InputError(f"{path}: empty file; copy or download it again.")
    deadline = time.monotonic() + LOCKED_SECONDS
    while True:
        with _Child(path) as child:
            answer = child.ask(str(path))
            if answer.get("fault") == "locked" and time.monotonic() < deadline:
                time.sleep(0.2)
                continue
            child.check(answer)
            for name, target in answer["links"]:
                raise InputError(f"{path}: '{name}' is {target}; expected the data itself.")
            yield Contents(
                path=path,
                arrays={array["name"]: _describe(child, array) for array in answer["arrays"]},
                groups=frozenset(answer["groups"]),
                attributes=frozenset(answer["attributes"]),
                fuel=tuple(FuelRange(*row) for row in answer["fuel"]),
            )
        return


def _describe(child: "_Child", array: dict[str, Any]) -> StoredArray:
    name, shape, dtype = array["name"], tuple(array["shape"]), np.dtype(array["dtype"])

    def read(axis: int, rows: slice) -> np.ndarray:
        if array["problem"]:
            raise InputError(f"{child.path}: '{name}' {array['problem']}; expected plain values.")
        if array["chunk_bytes"] > _LARGEST_CHUNK:
            raise InputError(
                f"{child.path}: '{name}' has chunks of {array['chunk_bytes']:,} bytes; "
                f"at most {_LARGEST_CHUNK:,} are unpacked at once."
            )
        start, stop, _ = rows.indices(shape[axis])
        values = np.empty((*shape[:axis], stop - start, *shape[axis + 1 :]), dtype)
        child.read_into(values, [name, axis, start, stop], array["chunk_bytes"])
        return values

    return StoredArray(name, shape, dtype, read)


class _Child:
    """The process that reads the file; see ``hdf5_child.py`` for what it is asked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # -P: the script's own folder is not one to import from.
        self._process = subprocess.Popen(  # noqa: S603  (its path goes in as data)
            [sys.executable, "-P", hdf5_child.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self, question: Any, patience: float = _PATIENCE_SECONDS) -> dict[str, Any]:
        """Send a line, return the answer."""
        with self._patient(patience) as (requests, answers):
            requests.write(json.dumps(question).encode() + b"\n")
            requests.flush()
            line = answers.readline()
            if not line.endswith(b"\n"):
                raise EOFError
            return json.loads(line)

    def check(self, answer: dict[str, Any], where: str = "") -> None:
        """Turn an answer that tells of a fault into an exception."""
        if fault := answer.get("fault"):
            reason = f" ({answer['reason']})" if "reason" in answer else ""
            raise InputError(f"{self.path}: {where}{_FAULTS[fault]}{reason}.")

    def read_into(self, values: np.ndarray, question: Any, chunk_bytes: int) -> None:
        """Fill an array with the values asked for."""
        patience = _PATIENCE_SECONDS + max(values.nbytes, chunk_bytes) / _SLOWEST_BYTES
        answer = self.ask(question, patience)
        self.check(answer, f"'{question[0]}' cannot be read: ")
        if (answer["shape"], answer["dtype"]) != (list(values.shape), values.dtype.str):
            raise InputError(f"{self.path}: '{question[0]}' is not of the shape that it declares.")
        with self._patient(patience) as (_, answers):
            if answers.readinto(values.reshape(-1).view(np.uint8)) != values.nbytes:
                raise EOFError

    @contextmanager
    def _patient(self, seconds: float) -> Iterator[tuple[Any, Any]]:
        """The process's ends, for a while: then it is killed."""
        timer = Timer(seconds, self._process.kill)
        started = time.monotonic()
        timer.start()
        try:
            yield self._process.stdin, self._process.stdout
        except (EOFError, BrokenPipeError):
            waited = time.monotonic() - started
            how = f"takes longer than {seconds:.0f} s" if waited > seconds else "crashes HDF5"
            raise InputError(
                f"{self.path}: damaged HDF5 file, reading it {how}; copy or download it again."
            ) from None
        finally:
            timer.cancel()
