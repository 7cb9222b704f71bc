"""Arrays of digits that may be larger than memory: their rows are made when they are asked for.

Everything that handles all digits of a split goes through it block by block, whether it lies in
memory or in a file, so that memory does not grow with the digits.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

BLOCK = 10_000  # rows at once: of digits 8 MB

_T = TypeVar("_T")


class Rows:
    """An array whose rows are read or computed when it is sliced or turned into a NumPy array."""

    chunk = 256  # rows that are stored together, so that one of them takes as long as all
    keep: object = None  # what has to live as long as the array does, an open file for instance

    def __init__(
        self, shape: tuple[int, ...], dtype: np.dtype, read: Callable[[int, int], np.ndarray]
    ) -> None:
        """``read(start, stop)`` gives the rows from ``start`` to before ``stop``."""
        self.shape, self.dtype, self._read = shape, dtype, read

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: int | slice | Sequence[int] | NDArray[np.integer]) -> np.ndarray:
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            if step == 1:
                return self._read(start, max(start, stop))
            rows = range(start, stop, step)
        if isinstance(rows, int | np.integer):
            return self[[rows]][0]
        return self._gather(np.asarray(rows, np.int64))

    def _gather(self, rows: NDArray[np.int64]) -> np.ndarray:
        """Rows in any order, from one block of them at a time."""
        rows = np.where(rows < 0, rows + len(self), rows)
        if rows.size and not (rows.min() >= 0 and rows.max() < len(self)):
            raise IndexError(f"rows {rows.min()} to {rows.max()} of {len(self)}")
        order = np.argsort(rows, kind="stable")
        wanted = rows[order]
        gathered = np.empty((len(rows), *self.shape[1:]), self.dtype)
        done = 0
        while done < len(wanted):
            first = int(wanted[done])
            upto = done + int(np.searchsorted(wanted[done:], first + BLOCK))
            block = self._read(first, int(wanted[upto - 1]) + 1)
            gathered[order[done:upto]] = block[wanted[done:upto] - first]
            done = upto
        return gathered

    def __deepcopy__(self, _: dict[int, Any]) -> Self:  # nothing of it changes
        return self

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        whole = np.empty(self.shape, dtype or self.dtype)
        for start, block in blocks(self):
            whole[start : start + len(block)] = block
        return whole


ArrayLike = np.ndarray | Rows


def blocks(array: ArrayLike, rows: int = BLOCK) -> Iterator[tuple[int, np.ndarray]]:
    """All rows in order, so many at a time, each with where it begins.

    Those of a file are read by another thread, while the ones before them are used.
    """
    parts = ((start, array[start : start + rows]) for start in range(0, len(array), rows))
    return ahead(parts) if isinstance(array, Rows) and len(array) > rows else parts


def ahead(items: Iterator[_T]) -> Iterator[_T]:
    """The same items, each made by another thread while the one before it is used."""
    end = object()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, items, end)
        while (item := waiting.result()) is not end:
            waiting = pool.submit(next, items, end)
            yield cast("_T", item)


def select(array: ArrayLike, rows: NDArray[np.integer]) -> ArrayLike:
    """Some rows, in their order; of an array in memory a copy."""
    if isinstance(array, np.ndarray):
        return array[rows]
    return Rows(
        (len(rows), *array.shape[1:]), array.dtype, lambda start, stop: array[rows[start:stop]]
    )


def concatenate(parts: Sequence[ArrayLike]) -> ArrayLike:
    """The rows of several arrays of one type, one after another."""
    if all(isinstance(part, np.ndarray) for part in parts):
        return np.concatenate(cast("Sequence[np.ndarray]", parts))
    ends = np.cumsum([len(part) for part in parts])

    def read(start: int, stop: int) -> np.ndarray:
        found = [
            part[max(0, start - begin) : max(0, stop - begin)]
            for part, begin in zip(parts, [0, *ends[:-1]], strict=True)
            if begin < stop and start < begin + len(part)
        ]
        return np.concatenate(found or [parts[0][:0]])

    return Rows((int(ends[-1]), *parts[0].shape[1:]), parts[0].dtype, read)


def with_channel(images: ArrayLike) -> ArrayLike:
    """``(n, 28, 28)`` images as ``(n, 28, 28, 1)``."""
    if isinstance(images, np.ndarray):
        return images[..., np.newaxis]
    return Rows(
        (*images.shape, 1), images.dtype, lambda start, stop: images[start:stop][..., np.newaxis]
    )
