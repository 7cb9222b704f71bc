"""Read NumPy arrays from a pickle without executing its code.

A pickle is a program that may call any function. Here it can call only the stand-ins below, which
check the sizes of arrays of plain values and build them; every other name is rejected.
"""

import pickle
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from math import prod
from typing import Any, NoReturn

import numpy as np

from mnist_kedro.readers.arrays_of import name_arrays
from mnist_kedro.readers.loaded import Progress, ReadableFile, RefusalError, loaded_file

_TYPE_CODE = re.compile(r"[biufSU]\d{1,5}|\?")
_ONLY_ARRAYS = "only NumPy arrays are read from pickles; save arrays with numpy.savez"


def open_file(
    path: str, options: dict[str, Any], _: Progress
) -> AbstractContextManager[ReadableFile]:
    """Load the arrays of a pickle of Python 2 or 3, and name them with :func:`name_arrays`.

    Raises:
        RefusalError: if the pickle holds anything but arrays, numbers and text in lists, tuples and
            dictionaries.
    """
    with open(path, "rb") as file:  # noqa: PTH123
        value = _Unpickler(file, fix_imports=False, encoding="latin1").load()
    return loaded_file(name_arrays(value, options["max_digits"], _finish))


class _Dtype:
    """Stand-in for ``numpy.dtype`` that accepts only plain values."""

    def __init__(self, code: object = None, *_: object) -> None:
        if not isinstance(code, str) or not _TYPE_CODE.fullmatch(code):
            raise RefusalError(f"holds an array of type {str(code)[:20]!r}; {_ONLY_ARRAYS}.")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) < 5 or state[1] not in {"<", ">", "|", "="}:
            raise RefusalError("holds a corrupt NumPy type; write the pickle again.")
        if any(part is not None for part in state[2:5]):
            raise RefusalError(f"holds an array of records; {_ONLY_ARRAYS}.")
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """Stand-in for ``numpy.ndarray`` while the pickle builds the array."""

    value: np.ndarray | None = None

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise RefusalError("holds a corrupt NumPy array; write the pickle again.")
        _, shape, dtype, fortran_order, content = state
        self.value = _build(content, dtype, shape, "F" if fortran_order else "C")


def _build(content: object, dtype: object, shape: object, order: object) -> np.ndarray:
    if isinstance(content, str):  # bytes of Python 2
        content = content.encode("latin-1")
    if (
        isinstance(dtype, _Dtype)
        and isinstance(content, (bytes, bytearray))
        and isinstance(shape, tuple)
        and all(type(length) is int and 0 <= length < 2**40 for length in shape)
        and order in {"C", "F"}
        and prod(shape) * dtype.dtype.itemsize == len(content)
    ):
        return np.frombuffer(bytes(content), dtype.dtype).reshape(shape, order=order)
    raise RefusalError(
        "holds an array whose shape does not match its values; write the pickle again."
    )


def _reconstruct(*_: object) -> _Array:
    return _Array()


def _scalar(dtype: object, content: object = None) -> _Array:
    array = _Array()
    array.value = _build(content, dtype, (), "C")
    return array


def _from_buffer(content: object, dtype: object, shape: object, order: object) -> _Array:
    array = _Array()
    array.value = _build(content, dtype, shape, order)
    return array


def _encode(text: object, encoding: object = "") -> bytes:
    if not isinstance(text, str) or encoding not in {"latin1", "latin-1"}:
        raise RefusalError(f"holds '_codecs.encode' with {str(encoding)[:20]!r}; {_ONLY_ARRAYS}.")
    return text.encode("latin-1")


def _reject_call(*_: object) -> NoReturn:
    raise RefusalError(f"calls 'numpy.ndarray'; {_ONLY_ARRAYS}.")


_ALLOWED: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _reject_call,  # only an argument of _reconstruct
    ("_codecs", "encode"): _encode,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _reconstruct for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _scalar for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _from_buffer for core in ("core", "_core")},
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise RefusalError(f"holds '{module[:60]}.{name[:60]}'; {_ONLY_ARRAYS}.")
        return _ALLOWED[module, name]


def _finish(value: object) -> object:
    """Return the array that a stand-in has built, and any other value unchanged."""
    if not isinstance(value, _Array):
        return value
    if value.value is None:
        raise RefusalError("holds an array without values; write the pickle again.")
    return value.value
