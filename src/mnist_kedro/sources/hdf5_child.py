"""Read an HDF5 file on behalf of another process; ``hdf5.py`` starts this script by its path.

The HDF5 library can crash on a corrupt file (measured: twice in 230,000 mutated files) or loop
forever, and a crash ends the whole process. Therefore this script runs in a process of its own and
imports nothing from the project.

Protocol: each request is a line of JSON on standard input, each answer a line of JSON on standard
output; an answer with values is followed by their bytes. The first request is the file's path, and
its answer describes the contents. Every other request selects rows: ``[name, axis, start, stop]``.
"""

import gc
import json
import math
import sys
from typing import Any, BinaryIO

import h5py
import numpy as np

_CACHE_BYTES = 2**28  # of decompressed chunks, so that a chunk of all rows is decompressed once
_MAX_OBJECTS = 10_000
_MAX_TEXT_BYTES = 64


def main() -> None:
    """Answer requests until standard input is closed."""
    gc.disable()  # garbage collection can garble the error messages of h5py 3.14
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    path = json.loads(requests.readline())
    try:
        if not h5py.is_hdf5(path):
            _send_json(answers, {"fault": "foreign"})
            return
        with h5py.File(path, "r", rdcc_nbytes=_CACHE_BYTES) as file:
            _send_json(answers, describe_file(file))
            for line in requests:
                name, axis, start, stop = json.loads(line)
                _send_values(answers, file[name][(slice(None),) * axis + (slice(start, stop),)])
    except Exception as error:  # noqa: BLE001  (h5py raises any exception on a corrupt file)
        _send_json(answers, _fault_answer(error))


def describe_file(file: h5py.File) -> dict[str, Any]:
    """Return the datasets, groups, links and attributes of a file."""
    arrays: list[dict[str, Any]] = []
    groups: list[str] = []
    links: list[tuple[str, str]] = []

    def visit_object(name: str, item: Any) -> bool | None:
        if isinstance(item, h5py.Dataset):
            arrays.append({"name": name, **_describe_dataset(item)})
        elif isinstance(item, h5py.Group):
            groups.append(name)
        return True if len(arrays) + len(groups) > _MAX_OBJECTS else None

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


def _describe_dataset(dataset: h5py.Dataset) -> dict[str, Any]:
    try:
        return _describe_readable(dataset)
    except (TypeError, ValueError) as error:
        return {"shape": [], "dtype": "V1", "chunk_bytes": 0, "problem": f"is unreadable ({error})"}


def _describe_readable(dataset: h5py.Dataset) -> dict[str, Any]:
    return {
        "shape": list(dataset.shape or ()),
        "dtype": f"S{_MAX_TEXT_BYTES}" if _is_text(dataset) else dataset.dtype.str,
        "chunk_bytes": math.prod(dataset.chunks or ()) * dataset.dtype.itemsize,
        "problem": _reason_not_to_read(dataset),
    }


def _reason_not_to_read(dataset: h5py.Dataset) -> str | None:
    """Return why a readable dataset must not be read; None if it may."""
    if dataset.is_virtual:
        return "is a virtual dataset, stored in other files"
    if dataset.external:
        return f"is stored in another file ('{dataset.external[0][0]}', external storage)"
    if dataset.dtype.kind == "S" and dataset.dtype.itemsize > _MAX_TEXT_BYTES:
        return f"holds text of {dataset.dtype.itemsize} characters"
    return _missing_filter(dataset) or _missing_values(dataset)


def _missing_filter(dataset: h5py.Dataset) -> str | None:
    properties = dataset.id.get_create_plist()
    for position in range(properties.get_nfilters()):
        code, _, _, name = properties.get_filter(position)
        if not h5py.h5z.filter_avail(code):
            return f"needs the filter '{name.decode(errors='replace')}', which h5py lacks"
    return None


def _missing_values(dataset: h5py.Dataset) -> str | None:
    """Report values that were declared but never written: HDF5 would read fill values instead."""
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
    """Return the rows of Fuel's ``split`` attribute; an empty list without that attribute.

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


def _send_values(answers: BinaryIO, values: np.ndarray) -> None:
    if values.dtype.kind == "O":
        texts = [text if isinstance(text, bytes) else str(text).encode() for text in values.flat]
        values = np.array(texts, f"S{_MAX_TEXT_BYTES}").reshape(values.shape)
    elif values.dtype.kind == "S":
        values = values.astype(f"S{_MAX_TEXT_BYTES}")
    values = np.ascontiguousarray(values)
    _send_json(answers, {"shape": values.shape, "dtype": values.dtype.str, "bytes": values.nbytes})
    answers.write(values.tobytes())
    answers.flush()


def _send_json(answers: BinaryIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()


def _fault_answer(error: Exception) -> dict[str, Any]:
    reason = " ".join(str(error).split())
    if isinstance(error, BlockingIOError) or "unable to lock file" in reason:
        return {"fault": "locked"}
    return {"fault": "truncated" if "truncated" in reason else "damaged", "reason": reason}


if __name__ == "__main__":
    main()
