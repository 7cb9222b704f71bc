"""Find and name the arrays in nested lists, tuples and dictionaries."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from mnist_kedro.readers.loaded import RefusalError

_MAX_DEPTH = 6
_MAX_ARRAYS, _MAX_NODES = 10_000, 100_000
_SPLITS = {2: ("train", "test"), 3: ("train", "validation", "test")}
_ROLES = ("images", "labels")


def name_arrays(
    value: object, max_digits: int, finish: Callable[[object], object]
) -> dict[str, np.ndarray]:
    """Name arrays after their keys, joined with ``/``, or after their positions.

    Two or three pairs get the names ``train/images``, ``train/labels``, ``validation/images``, …;
    one pair gets ``images``, ``labels``; other lists of arrays get ``arr_0``, ``arr_1``, … as in
    npz files; a single array gets ``values``. Lists of numbers count as arrays. Text and single
    numbers are skipped.

    Args:
        value: the content of a file.
        max_digits: reject lists with more numbers than this many digits have.
        finish: function that converts a stand-in to its array, and returns other values unchanged.

    Raises:
        RefusalError: if there are no arrays, or too many.
    """
    arrays: dict[str, np.ndarray] = {}
    for name, array in _Walk(max_digits * 1000, finish).name_all("", value, 0):
        arrays[name or "values"] = array
        if len(arrays) > _MAX_ARRAYS:
            raise RefusalError(f"holds more than {_MAX_ARRAYS:,} arrays.")
    if not arrays:
        raise RefusalError("holds no arrays; expected the images and labels of MNIST.")
    return arrays


class _Walk:
    def __init__(self, max_values: int, finish: Callable[[object], object]) -> None:
        self._left, self._finish, self._nodes = max_values, finish, 0

    def name_all(self, name: str, value: object, depth: int) -> Iterator[tuple[str, np.ndarray]]:
        self._nodes += 1
        if self._nodes > _MAX_NODES:
            raise RefusalError(f"holds more than {_MAX_NODES:,} values in lists.")
        if depth > _MAX_DEPTH:
            raise RefusalError(f"is nested more than {_MAX_DEPTH} levels deep.")
        array = self._array(value)
        if array is not None:
            if array.ndim:
                yield name, array
            return
        for part, item in self._parts(value):
            yield from self.name_all(f"{name}/{part}" if name else part, item, depth + 1)

    def _parts(self, value: object) -> Sequence[tuple[str, Any]]:
        if isinstance(value, dict):
            return [(_key(key), item) for key, item in value.items()]
        if not isinstance(value, (list, tuple)):
            return []
        if all(isinstance(item, (list, tuple)) and len(item) == 2 for item in value):
            names: Sequence[str] = _SPLITS.get(len(value), ())
        else:
            names = _ROLES if len(value) == 2 else ()
        names = names or [f"arr_{i}" for i in range(len(value))]
        return [*zip(names, value, strict=True)]

    def _array(self, value: object) -> np.ndarray | None:
        """Return an array, or convert a regular list of numbers, text or arrays; otherwise None."""
        value = self._finish(value)
        if isinstance(value, np.ndarray):
            return value
        if not isinstance(value, (list, tuple)) or not value:
            return None
        shape: list[int] = []
        first: Any = value
        while isinstance(first, (list, tuple)) and first and len(shape) < _MAX_DEPTH:
            shape.append(len(first))
            first = self._finish(first[0])
        inner = first.shape if isinstance(first, np.ndarray) else ()
        plain = isinstance(first, (np.ndarray, int, float, str, bytes))
        if not plain or (inner and len(value) <= 4):  # each of a few arrays gets a name
            return None
        count = int(np.prod([*shape, *inner], dtype=object))
        self._left -= count
        if self._left < 0:
            raise RefusalError("holds more numbers than ingestion.max_digits digits have.")
        try:
            array = np.array(self._finish_nested(value, len(shape)))
        except (ValueError, TypeError, OverflowError):  # lists of different lengths or types
            return None
        return array if array.dtype.kind in "biufSU" and array.size == count else None

    def _finish_nested(self, value: Any, depth: int) -> Any:
        if depth == 0 or not isinstance(value, (list, tuple)):
            return self._finish(value)
        return [self._finish_nested(item, depth - 1) for item in value]


def _key(key: object) -> str:
    return key.decode("latin-1") if isinstance(key, bytes) else str(key)
