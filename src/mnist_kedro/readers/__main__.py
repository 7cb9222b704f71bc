"""Read a file on behalf of another process: ``python -P -m mnist_kedro.readers``.

Libraries can crash, loop forever or allocate too much on a corrupt file (measured: the HDF5 library
crashes twice in 230,000 mutated files), and a crash ends the whole process. Therefore files are
read in a separate process, which limits its memory.

Protocol: each request is a line of JSON on standard input, and each answer is a line of JSON on
standard output. After an answer to a request for values, their bytes follow. The first request is
``[format, path, options]``; its answer describes the contents. Progress reports with ``done`` and
``total`` may precede that answer. Every other request selects rows: ``[name, axis, start, stop]``.
"""

import gc
import json
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from mnist_kedro.readers.loaded import RefusalError

_MEMORY_BYTES = 2**32  # limit of a reader whose module does not set MEMORY_BYTES


def main() -> None:
    """Answer requests until standard input is closed."""
    gc.disable()  # garbage collection can garble the error messages of h5py 3.14
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    format_name, path, options = json.loads(requests.readline())
    explain = _classify_fault
    try:
        reader = import_module(f"mnist_kedro.readers.{format_name}")
        explain = getattr(reader, "explain_fault", explain)
        _limit_memory(getattr(reader, "MEMORY_BYTES", _MEMORY_BYTES))
        with reader.open_file(path, options, lambda progress: _send(answers, progress)) as file:
            _send(answers, file.description)
            for line in requests:
                _send_values(answers, file.read(*json.loads(line)))
    except RefusalError as error:
        _send(answers, {"fault": "refused", "reason": _one_line(error)})
    except Exception as error:  # noqa: BLE001  (libraries raise any exception on a corrupt file)
        _send(answers, {"reason": _one_line(error), **explain(error)})


def _classify_fault(error: Exception) -> dict[str, str]:
    return {"fault": "memory" if isinstance(error, MemoryError) else "damaged"}


def _one_line(error: Exception) -> str:
    text = "".join(letter if letter.isprintable() else " " for letter in str(error))
    return " ".join(text.split())[:500]


def _limit_memory(allowed: int) -> None:
    """Allow ``allowed`` more bytes of address space, on systems that support a limit."""
    with suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415  (not available on Windows)

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + allowed
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))


def _send_values(answers: BinaryIO, values: np.ndarray) -> None:
    values = np.ascontiguousarray(values)
    _send(answers, {"shape": values.shape, "dtype": values.dtype.str})
    answers.write(values.tobytes())
    answers.flush()


def _send(answers: BinaryIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()


if __name__ == "__main__":
    main()
