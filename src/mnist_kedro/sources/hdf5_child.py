"""Reads one HDF5 file for another process; see ``hdf5.py``, which starts it.

The HDF5 library can crash on a damaged file (measured: twice in 230,000 mutated files) or go round
in circles in it, and a crash ends its process. So this runs in one of its own, by its path, and
imports nothing of the project.

It is asked by a line of JSON on standard input and answers by a line on standard output, after
which, for values, come their bytes. The first line asks for the contents.
"""

import gc
import json
import math
import sys
from typing import Any, BinaryIO

import h5py
import numpy as np

_CACHE_BYTES = 2**28  # of unpacked chunks, so that one over all rows is unpacked once
_MOST_OBJECTS = 10_000
_LONGEST_TEXT = 64


def main() -> None:
    """Answer requests until there are no more."""
    gc.disable()  # it can garble what h5py 3.14 says of a fault
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    path = json.loads(requests.readline())
    try:
        if not h5py.is_hdf5(path):
            _answer(answers, {"fault": "foreign"})
            return
        with h5py.File(path, "r", rdcc_nbytes=_CACHE_BYTES) as file:
            _answer(answers, describe(file))
            for line in requests:
                name, axis, start, stop = json.loads(line)
                _send(answers, file[name][(slice(None),) * axis + (slice(start, stop),)])
    except Exception as error:  # noqa: BLE001  (h5py raises of every kind on a damaged file)
        _answer(answers, _fault(error))


def describe(file: h5py.File) -> dict[str, Any]:
    """The datasets, groups, links and attributes of a file."""
    arrays: list[dict[str, Any]] = []
    groups: list[str] = []
    links: list[tuple[str, str]] = []

    def visit_object(name: str, item: Any) -> bool | None:
        if isinstance(item, h5py.Dataset):
            arrays.append({"name": name, **_describe(item)})
        elif isinstance(item, h5py.Group):
            groups.append(name)
        return True if len(arrays) + len(groups) > _MOST_OBJECTS else None

    def visit_link(name: str, link: Any) -> None:
        if isinstance(link, h5py.ExternalLink):
            links.append((name, f"an external link to '{link.filename}'"))
        elif isinstance(link, h5py.SoftLink):
            links.append((name, f"a soft link to '{link.path}'"))

    file.visititems_links(visit_link)
    file.visititems(visit_object)
    return {
        "arrays": arrays,
        "groups": groups,
        "links": links,
        "attributes": list(file.attrs),
        "fuel": _fuel_ranges(file),
    }


def _describe(dataset: h5py.Dataset) -> dict[str, Any]:
    try:
        return _describe_readable(dataset)
    except (TypeError, ValueError) as error:
        return {"shape": [], "dtype": "V1", "chunk_bytes": 0, "problem": f"is unreadable ({error})"}


def _describe_readable(dataset: h5py.Dataset) -> dict[str, Any]:
    return {
        "shape": list(dataset.shape or ()),
        "dtype": f"S{_LONGEST_TEXT}" if _is_text(dataset) else dataset.dtype.str,
        "chunk_bytes": math.prod(dataset.chunks or ()) * dataset.dtype.itemsize,
        "problem": _problem(dataset),
    }


def _problem(dataset: h5py.Dataset) -> str | None:
    """Why a dataset should not be read although it could be."""
    if dataset.is_virtual:
        return "is put together from other files (virtual storage)"
    if dataset.external:
        return f"lies in another file ('{dataset.external[0][0]}', external storage)"
    if dataset.dtype.kind == "S" and dataset.dtype.itemsize > _LONGEST_TEXT:
        return f"holds text of {dataset.dtype.itemsize} characters"
    return _missing_filter(dataset) or _missing_values(dataset)


def _missing_filter(dataset: h5py.Dataset) -> str | None:
    plan = dataset.id.get_create_plist()
    for position in range(plan.get_nfilters()):
        code, _, _, name = plan.get_filter(position)
        if not h5py.h5z.filter_avail(code):
            return f"is packed by '{name.decode(errors='replace')}', which h5py lacks"
    return None


def _missing_values(dataset: h5py.Dataset) -> str | None:
    """Values that were declared and never written; HDF5 would make them up."""
    if not dataset.size:
        return None
    if dataset.chunks:
        written, declared = dataset.id.get_num_chunks(), _chunk_count(dataset)
        if written < declared:
            return f"declares {declared} chunks of values, but holds {written}"
    elif dataset.id.get_storage_size() == 0:
        return f"declares {dataset.size} values, but holds none"
    return None


def _chunk_count(dataset: h5py.Dataset) -> int:
    return math.prod(
        -(-length // chunk) for length, chunk in zip(dataset.shape, dataset.chunks, strict=True)
    )


def _fuel_ranges(file: h5py.File) -> list[list[Any]]:
    """The rows of Fuel's ``split`` attribute; none if there is no such attribute.

    Source: Fuel's documentation, "H5PYDataset: the split attribute".
    """
    if "split" not in file.attrs:
        return []
    table = np.atleast_1d(file.attrs["split"])
    names = set(table.dtype.names or ())
    if not {"split", "source", "start", "stop"} <= names:
        return []
    return [
        [
            row["split"].decode(),
            row["source"].decode(),
            int(row["start"]),
            int(row["stop"]),
            "indices" in names and bool(row["indices"]),
        ]
        for row in table
    ]


def _is_text(dataset: h5py.Dataset) -> bool:
    return h5py.check_string_dtype(dataset.dtype) is not None


def _send(answers: BinaryIO, values: np.ndarray) -> None:
    if values.dtype.kind == "O":
        texts = [text if isinstance(text, bytes) else str(text).encode() for text in values.flat]
        values = np.array(texts, f"S{_LONGEST_TEXT}").reshape(values.shape)
    elif values.dtype.kind == "S":
        values = values.astype(f"S{_LONGEST_TEXT}")
    values = np.ascontiguousarray(values)
    _answer(answers, {"shape": values.shape, "dtype": values.dtype.str, "bytes": values.nbytes})
    answers.write(values.tobytes())
    answers.flush()


def _answer(answers: BinaryIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()


def _fault(error: Exception) -> dict[str, Any]:
    reason = " ".join(str(error).split())
    if isinstance(error, BlockingIOError) or "unable to lock file" in reason:
        return {"fault": "locked"}
    return {"fault": "truncated" if "truncated" in reason else "damaged", "reason": reason}


if __name__ == "__main__":
    main()
