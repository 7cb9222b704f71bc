"""Read an HDF5 file.

An object with several hard links, or soft links within the file, is listed under all of its names.
The fields of compound datasets are listed as arrays, because pandas stores tables in this form.
"""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import h5py
import numpy as np

from mnist_kedro.readers.loaded import MAX_TEXT_BYTES, Progress, ReadableFile

_CACHE_BYTES = 2**28  # cache of chunks, so that a chunk with all rows is decompressed only once
_MAX_OBJECTS = 100_000  # TensorFlow Federated's EMNIST has 3 per writer, of 3,383 writers
# Names of rows and columns, which pandas writes besides the values and may pickle.
_PANDAS_AXES = re.compile(r"axis\d+|block\d+_items")


@contextmanager
def open_file(path: str, _: dict[str, Any], __: Progress) -> Iterator[ReadableFile]:
    """Open an HDF5 file with any suffix, with or without a userblock (MATLAB writes one)."""
    if not h5py.is_hdf5(path):
        raise _ForeignFileError
    with h5py.File(path, "r", rdcc_nbytes=_CACHE_BYTES) as file:

        def read(name: str, axis: int, start: int, stop: int) -> np.ndarray:
            return _fix_text_length(_read_rows(file, name, axis, slice(start, stop)))

        yield ReadableFile(describe_file(file), read)


class _ForeignFileError(Exception):
    """The file is not HDF5."""


def explain_fault(error: Exception) -> dict[str, str]:
    """Return the kind of fault that an exception of h5py indicates."""
    reason = str(error)
    if isinstance(error, _ForeignFileError):
        return {"fault": "foreign"}
    if isinstance(error, BlockingIOError) or "unable to lock file" in reason:
        return {"fault": "locked", "reason": ""}
    return {"fault": "truncated" if "truncated" in reason else "damaged"}


def describe_file(file: h5py.File) -> dict[str, Any]:
    """Return the datasets, groups, links and attributes of a file."""
    contents = _Contents()
    file.id.links.visit(partial(contents.add_external_link, file), info=True)
    if not contents.links:  # A soft link could lead to an external link.
        contents.add_group(file, "", (_address(file),))
    return {
        "arrays": contents.arrays,
        "groups": contents.groups,
        "links": contents.links,
        "attributes": list(file.attrs),
        "fuel": _fuel_ranges(file),
    }


class _Contents:
    """The objects of a file by name."""

    def __init__(self) -> None:
        self.arrays: list[dict[str, Any]] = []
        self.groups: list[str] = []
        self.links: list[tuple[str, str]] = []

    def add_external_link(self, file: h5py.File, name: bytes, link: Any) -> None:
        """Add a link if it leads to another file."""
        if link.type == h5py.h5l.TYPE_EXTERNAL:
            target = file.id.links.get_val(name)[0].decode(errors="replace")
            shown = name.decode(errors="replace")
            self.links.append((shown, f"an external link to '{target}'"))

    def add_group(self, group: h5py.Group, prefix: str, ancestors: tuple[int, ...]) -> None:
        """Add the contents of a group, except for links to its own parent groups."""
        for name in _names(group):
            if len(self.arrays) + len(self.groups) >= _MAX_OBJECTS:
                return
            path = f"{prefix}{name}"
            try:
                item = group[name]
            except (KeyError, OSError, RuntimeError):
                link = group.get(name, getlink=True)
                if not isinstance(link, h5py.SoftLink):
                    raise
                self.links.append((path, f"a soft link to '{link.path}'"))
                continue
            if isinstance(item, h5py.Dataset):
                self.arrays += _describe_dataset(item, path)
            elif isinstance(item, h5py.Group) and (address := _address(item)) not in ancestors:
                self.groups.append(path)
                self.add_group(item, f"{path}/", (*ancestors, address))


def _names(group: h5py.Group) -> list[str]:
    names = list(group)
    if "block0_values" in names:
        return [name for name in names if not _PANDAS_AXES.fullmatch(name)]
    return [name for name in names if not name.startswith("#")]  # except MATLAB's cells and objects


def _address(item: Any) -> int:
    return h5py.h5o.get_info(item.id).addr


def _describe_dataset(dataset: h5py.Dataset, name: str) -> list[dict[str, Any]]:
    try:
        fields = dataset.dtype.fields
        if not fields:
            return [{"name": name, "origin": str(_address(dataset)), **_describe_readable(dataset)}]
        whole = _describe_readable(dataset)
        return [
            {
                **whole,
                "name": f"{name}/{field}",
                "shape": [*whole["shape"], *dtype.shape],
                "dtype": dtype.base.str,
            }
            for field, (dtype, *_) in fields.items()
            if dtype.base.kind in "biuf" and field != "index"  # skip pandas' row numbers
        ]
    except (TypeError, ValueError) as error:
        problem = f"is unreadable ({' '.join(str(error).split())})"
        unreadable = {"shape": [], "dtype": "V1", "chunk_bytes": 0, "problem": problem}
        return [{"name": name, **unreadable}]


def _read_rows(file: h5py.File, name: str, axis: int, rows: slice) -> np.ndarray:
    key = (slice(None),) * axis + (rows,)
    if name in file:
        return file[name][key]
    path, _, field = name.rpartition("/")
    dataset = file[path]
    if axis < dataset.ndim:
        return dataset.fields(field)[key]
    return dataset.fields(field)[()][key]


def _fix_text_length(values: np.ndarray) -> np.ndarray:
    """Convert text to bytes of fixed length; return other values unchanged."""
    if values.dtype.kind == "O":
        texts = [text if isinstance(text, bytes) else str(text).encode() for text in values.flat]
        return np.array(texts, f"S{MAX_TEXT_BYTES}").reshape(values.shape)
    return values.astype(f"S{MAX_TEXT_BYTES}") if values.dtype.kind == "S" else values


def _describe_readable(dataset: h5py.Dataset) -> dict[str, Any]:
    shape, dtype, properties = dataset.shape or (), dataset.dtype, dataset.id.get_create_plist()
    chunks = properties.get_chunk() if properties.get_layout() == h5py.h5d.CHUNKED else ()
    is_text = h5py.check_string_dtype(dtype) is not None
    return {
        "shape": list(shape),
        "dtype": f"S{MAX_TEXT_BYTES}" if is_text else dtype.str,
        "chunk_bytes": math.prod(chunks) * dtype.itemsize,
        "problem": _reason_not_to_read(dtype, properties)
        or _missing_values(dataset.id, shape, chunks),
    }


def _reason_not_to_read(dtype: np.dtype, properties: Any) -> str | None:
    """Return why a dataset must not be read; None if it may be read."""
    if properties.get_layout() == h5py.h5d.VIRTUAL:
        return "is a virtual dataset, stored in other files"
    if properties.get_external_count():
        name = properties.get_external(0)[0].decode(errors="replace")
        return f"is stored in another file ('{name}', external storage)"
    if dtype.kind == "S" and dtype.itemsize > MAX_TEXT_BYTES:
        return f"holds text of {dtype.itemsize} characters"
    for position in range(properties.get_nfilters()):
        code, _, _, name = properties.get_filter(position)
        if not h5py.h5z.filter_avail(code):
            return f"needs the filter '{name.decode(errors='replace')}', which h5py lacks"
    return None


def _missing_values(dataset: Any, shape: tuple[int, ...], chunks: tuple[int, ...]) -> str | None:
    """Describe values that were declared but never written; HDF5 would return fill values."""
    size = math.prod(shape)
    if not size:
        return None
    if chunks:
        written = dataset.get_num_chunks()
        declared = math.prod(-(-n // chunk) for n, chunk in zip(shape, chunks, strict=True))
        if written < declared:
            return f"declares {declared} chunks of values, but holds {written}"
    elif dataset.get_storage_size() == 0:
        return f"declares {size} values, but holds none"
    return None


def _fuel_ranges(file: h5py.File) -> list[list[Any]]:
    """Return the rows of Fuel's ``split`` attribute; an empty list if it is missing.

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
