"""Read MATLAB files of versions 4 to 7; files of version 7.3 are HDF5 files."""

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from scipy import io, sparse

from mnist_kedro.readers.loaded import Progress, ReadableFile, loaded_file

_MAX_DEPTH = 8  # levels of nested structs


def open_file(path: str, _: dict[str, Any], __: Progress) -> AbstractContextManager[ReadableFile]:
    """Load all variables; name the fields of structs like ``dataset/train/images``."""
    arrays: dict[str, np.ndarray] = {}
    problems: dict[str, str] = {}
    # SciPy only warns about values that it cannot read.
    with open(path, "rb") as file, warnings.catch_warnings():  # noqa: PTH123
        warnings.simplefilter("error", UserWarning)
        variables = io.loadmat(file)
    for name, variable in variables.items():
        if not name.startswith("__"):
            for full_name, value in _flatten(name, variable):
                problem = _problem(value)
                if problem:
                    problems[full_name] = problem
                else:
                    arrays[full_name] = value
    return loaded_file(arrays, problems)


def _flatten(name: str, value: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    fields = value.dtype.names if isinstance(value, np.ndarray) else None
    if fields and value.size == 1 and depth < _MAX_DEPTH:
        for field in fields:
            yield from _flatten(f"{name}/{field}", value[field].item(), depth + 1)
    else:
        yield name, value


def _problem(value: Any) -> str | None:
    """Return why a value is not an array of numbers or text; None if it is such an array."""
    if isinstance(value, io.matlab.MatlabFunction):
        return "is a function"
    if isinstance(value, (io.matlab.MatlabObject, io.matlab.MatlabOpaque)):
        return "is an object"
    if sparse.issparse(value):
        return "is a sparse matrix"
    if not isinstance(value, np.ndarray):
        return f"is a {type(value).__name__}"
    if value.dtype.names:
        return f"is {value.size} structs"
    return "is a cell array" if value.dtype.hasobject else None
