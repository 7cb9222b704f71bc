"""Read users' HDF5 files in a child process, because a corrupt file can crash the HDF5 library."""

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

LOCKED_SECONDS = 10.0  # to wait for a program that is writing the file
_TIMEOUT_SECONDS = 8.0  # for an answer of the child process; longer for values
_SLOWEST_BYTES_PER_SECOND = 20e6
_MAX_CHUNK_BYTES = 2**30  # HDF5 decompresses a whole chunk at once

_FAULT_MESSAGES = {
    "foreign": "not an HDF5 file, despite its suffix",
    "locked": "in use: another program is writing it; close that program and try again",
    "truncated": "truncated HDF5 file; copy or download it again",
    "damaged": "corrupt HDF5 file; copy or download it again",
}


@contextmanager
def open_hdf5(path: Path) -> Iterator[Contents]:
    """Open an HDF5 file and describe its datasets, which can be read inside the ``with`` block.

    Raises:
        InputError: if the file is empty, truncated, corrupt, not HDF5 or locked, or contains soft
            or external links. Reading a dataset raises it if the dataset is corrupt or stored in
            another file.
    """
    if path.stat().st_size == 0:
        raise InputError(f"{path}: empty file; copy or download it again.")
    deadline = time.monotonic() + LOCKED_SECONDS
    while True:
        with _ChildProcess(path) as child:
            answer = child.request(str(path))
            if answer.get("fault") == "locked" and time.monotonic() < deadline:
                time.sleep(0.2)
                continue
            child.raise_fault(answer)
            for name, target in answer["links"]:
                raise InputError(f"{path}: '{name}' is {target}; expected the data itself.")
            yield Contents(
                path=path,
                arrays={array["name"]: _stored_array(child, array) for array in answer["arrays"]},
                groups=frozenset(answer["groups"]),
                attributes=frozenset(answer["attributes"]),
                fuel=tuple(FuelRange(*row) for row in answer["fuel"]),
            )
        return


def _stored_array(child: "_ChildProcess", array: dict[str, Any]) -> StoredArray:
    name, shape, dtype = array["name"], tuple(array["shape"]), np.dtype(array["dtype"])

    def read(axis: int, rows: slice) -> np.ndarray:
        if array["problem"]:
            raise InputError(f"{child.path}: '{name}' {array['problem']}; expected plain values.")
        if array["chunk_bytes"] > _MAX_CHUNK_BYTES:
            raise InputError(
                f"{child.path}: '{name}' has chunks of {array['chunk_bytes']:,} bytes; "
                f"expected at most {_MAX_CHUNK_BYTES:,}."
            )
        start, stop, _ = rows.indices(shape[axis])
        values = np.empty((*shape[:axis], stop - start, *shape[axis + 1 :]), dtype)
        child.read_into(values, [name, axis, start, stop], array["chunk_bytes"])
        return values

    return StoredArray(name, shape, dtype, read)


class _ChildProcess:
    """The process that reads the file; ``hdf5_child.py`` describes the protocol."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # -P keeps Python from importing modules from the script's folder.
        self._process = subprocess.Popen(  # noqa: S603  (the file's path is sent as data)
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

    def request(self, request: Any, timeout: float = _TIMEOUT_SECONDS) -> dict[str, Any]:
        """Send a request and return the answer."""
        with self._time_limit(timeout) as (requests, answers):
            requests.write(json.dumps(request).encode() + b"\n")
            requests.flush()
            line = answers.readline()
            if not line.endswith(b"\n"):
                raise EOFError
            return json.loads(line)

    def raise_fault(self, answer: dict[str, Any], prefix: str = "") -> None:
        """Raise an InputError if the answer reports a fault."""
        if fault := answer.get("fault"):
            reason = f" ({answer['reason']})" if "reason" in answer else ""
            raise InputError(f"{self.path}: {prefix}{_FAULT_MESSAGES[fault]}{reason}.")

    def read_into(self, values: np.ndarray, request: Any, chunk_bytes: int) -> None:
        """Fill an array with the requested values."""
        timeout = _TIMEOUT_SECONDS + max(values.nbytes, chunk_bytes) / _SLOWEST_BYTES_PER_SECOND
        answer = self.request(request, timeout)
        self.raise_fault(answer, f"'{request[0]}' cannot be read: ")
        if (answer["shape"], answer["dtype"]) != (list(values.shape), values.dtype.str):
            raise InputError(f"{self.path}: '{request[0]}' does not match its declaration.")
        with self._time_limit(timeout) as (_, answers):
            if answers.readinto(values.reshape(-1).view(np.uint8)) != values.nbytes:
                raise EOFError

    @contextmanager
    def _time_limit(self, seconds: float) -> Iterator[tuple[Any, Any]]:
        """Yield the pipes to and from the process, and kill it if the block takes longer."""
        timer = Timer(seconds, self._process.kill)
        started = time.monotonic()
        timer.start()
        try:
            yield self._process.stdin, self._process.stdout
        except (EOFError, BrokenPipeError):
            waited = time.monotonic() - started
            failure = f"takes longer than {seconds:.0f} s" if waited > seconds else "crashes HDF5"
            raise InputError(
                f"{self.path}: corrupt HDF5 file, reading it {failure}; copy or download it again."
            ) from None
        finally:
            timer.cancel()
