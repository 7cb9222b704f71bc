"""Read users' files in a child process, because a corrupt file can crash a library."""

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any, Self

import numpy as np
from tqdm import tqdm

import mnist_kedro
from mnist_kedro.errors import InputError
from mnist_kedro.sources.contents import Contents, FuelRange, StoredArray

logger = logging.getLogger(__name__)

_KILLED = -9
LOCKED_SECONDS = 10.0  # timeout for a program that is writing the file
TIMEOUT_SECONDS = 8.0  # timeout for an answer of the child process; longer for many values
_LOADING_SECONDS = 20.0  # timeout for the first answer of a reader that loads the file
_SLOWEST_BYTES_PER_SECOND = 20e6
_SLOWEST_LOADED_BYTES_PER_SECOND = 0.5e6  # for a compressed file
_MAX_CHUNK_BYTES = 2**30  # HDF5 decompresses whole chunks
_FIRST_SECONDS = {"hdf5": 8.0, "picture_folders": 300.0}  # pictures: between progress reports
_COMMAND = [sys.executable, "-P", "-m", "mnist_kedro.readers"]  # -P: ignore current folder
_PACKAGE_FOLDER = str(Path(mnist_kedro.__file__).parents[1])

NAMES = {
    "hdf5": "HDF5",
    "delimited": "CSV",
    "matlab": "MATLAB",
    "pickles": "pickle",
    "parquet": "Parquet",
    "picture_folders": "picture",
}
_FAULT_MESSAGES = {
    "foreign": "not an HDF5 file, despite its suffix",
    "locked": "in use: another program is writing it; close that program and try again",
    "truncated": "truncated {name} file; copy or download it again",
    "damaged": "corrupt {name} file; copy or download it again",
    "memory": "too large for memory as a {name} file; write its arrays to an HDF5 file, "
    "which is read in parts (docs/data.md shows how)",
}


@contextmanager
def open_in_child(
    format_name: str, path: Path, max_digits: int, *, shown: Path | None = None, **options: Any
) -> Iterator[Contents]:
    """Open a file in a child process; its arrays can be read inside the ``with`` block.

    Args:
        format_name: name of the module in ``mnist_kedro.readers``.
        path: path of the file.
        max_digits: files with more rows are rejected, except for HDF5, which is read in parts.
        shown: the path for error messages, if the file is a temporary copy.
        options: further options of the reader.

    Raises:
        InputError: if the file is empty, truncated, corrupt, locked or in another format, or holds
            links to other files or unsafe types. Reading an array raises InputError if the array is
            corrupt or stored in another file.
    """
    loads = format_name != "hdf5"
    timeout = _FIRST_SECONDS.get(format_name, _LOADING_SECONDS) + path.stat().st_size / (
        _SLOWEST_LOADED_BYTES_PER_SECOND if loads else _SLOWEST_BYTES_PER_SECOND
    )
    deadline = time.monotonic() + LOCKED_SECONDS
    options = {"max_digits": max_digits, **options}
    while True:
        with _ChildProcess(shown or path, NAMES[format_name]) as child:
            answer = child.request([format_name, str(path), options], timeout)
            if answer.get("fault") == "locked" and time.monotonic() < deadline:
                time.sleep(0.2)
                continue
            child.raise_fault(answer)
            yield _describe(child, answer)
        return


def _describe(child: "_ChildProcess", answer: dict[str, Any]) -> Contents:
    for name, target in answer.get("links", ()):
        raise InputError(f"{child.path}: '{name}' is {target}; expected the data itself.")
    if answer.get("warning"):
        logger.warning("%s: %s", child.path, answer["warning"])
    return Contents(
        path=child.path,
        arrays={array["name"]: _stored_array(child, array) for array in answer["arrays"]},
        groups=frozenset(answer.get("groups", ())),
        attributes=frozenset(answer.get("attributes", ())),
        fuel=tuple(FuelRange(*row) for row in answer.get("fuel", ())),
    )


def _stored_array(child: "_ChildProcess", array: dict[str, Any]) -> StoredArray:
    name, shape, dtype = array["name"], tuple(array["shape"]), np.dtype(array["dtype"])

    def read(axis: int, rows: slice) -> np.ndarray:
        if array.get("problem"):
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

    return StoredArray(name, shape, dtype, read, array.get("origin", ""))


class _ChildProcess:
    """The process that reads a file; ``readers/__main__.py`` describes the protocol."""

    def __init__(self, path: Path, name: str) -> None:
        self.path, self._name = path, name
        paths = [_PACKAGE_FOLDER, *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(  # noqa: S603  (the file's path is sent as data)
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def request(self, request: Any, timeout: float) -> dict[str, Any]:
        """Send a request, show the progress, and return the answer."""
        with self._time_limit(timeout) as (requests, _):
            requests.write(json.dumps(request).encode() + b"\n")
            requests.flush()
        answer = self._answer(timeout)
        if "total" not in answer:
            return answer
        with tqdm(total=answer["total"], desc=self.path.name, leave=False, disable=None) as bar:
            while "total" in answer:
                bar.update(answer["done"] - bar.n)
                answer = self._answer(timeout)
        return answer

    def _answer(self, timeout: float) -> dict[str, Any]:
        with self._time_limit(timeout) as (_, answers):
            line = answers.readline()
            if not line.endswith(b"\n"):
                raise EOFError
            return json.loads(line)

    def raise_fault(self, answer: dict[str, Any], prefix: str = "") -> None:
        """Raise an InputError if the answer reports a fault."""
        if fault := answer.get("fault"):
            if fault == "refused":
                raise InputError(f"{self.path}: {prefix}{answer['reason']}")
            reason = f" ({answer['reason']})" if answer.get("reason") else ""
            message = _FAULT_MESSAGES[fault].format(name=self._name)
            raise InputError(f"{self.path}: {prefix}{message}{reason}.")

    def read_into(self, values: np.ndarray, request: Any, chunk_bytes: int) -> None:
        """Send a request for values, and write them to an array."""
        timeout = TIMEOUT_SECONDS + max(values.nbytes, chunk_bytes) / _SLOWEST_BYTES_PER_SECOND
        answer = self.request(request, timeout)
        self.raise_fault(answer, f"'{request[0]}' cannot be read: ")
        if (answer["shape"], answer["dtype"]) != (list(values.shape), values.dtype.str):
            raise InputError(f"{self.path}: '{request[0]}' does not match its declaration.")
        with self._time_limit(timeout) as (_, answers):
            if answers.readinto(values.reshape(-1).view(np.uint8)) != values.nbytes:
                raise EOFError

    @contextmanager
    def _time_limit(self, seconds: float) -> Iterator[tuple[Any, Any]]:
        """Yield the pipes to and from the process; kill the process if the block takes longer."""
        timer = Timer(seconds, self._process.kill)
        started = time.monotonic()
        timer.start()
        try:
            yield self._process.stdin, self._process.stdout
        except (EOFError, BrokenPipeError):
            waited = time.monotonic() - started
            failure = f"takes longer than {seconds:.0f} s" if waited > seconds else "fails"
            if waited <= seconds and self._process.wait() == _KILLED:  # killed by the system
                self.raise_fault({"fault": "memory"})
            raise InputError(
                f"{self.path}: corrupt {self._name} file, reading it {failure}; "
                "copy or download it again."
            ) from None
        finally:
            timer.cancel()
