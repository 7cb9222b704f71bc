"""Define arrays that may be larger than memory: rows are read or computed on access.

Code that processes all digits of a split iterates over blocks of rows, whether the array is in
memory or in a file, so that the memory does not grow with the number of digits.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self, TypeVar, cast

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

BLOCK = 10_000  # rows per block: 8 MB of digits

_BASIC = (slice, int, np.integer, type(Ellipsis))

_T = TypeVar("_T")


class Rows(NDArrayOperatorsMixin):
    """An array whose rows are read or computed when it is indexed or converted.

    Indexing returns the same NumPy array as NumPy's indexing, or raises TypeError. Arithmetic and
    comparisons work as with NumPy, and load the whole array into memory.
    """

    chunk = 256  # rows stored together; reading one row takes as long as reading all of them
    keep: object = None  # an object that must live as long as the array, such as an open file

    def __init__(
        self, shape: tuple[int, ...], dtype: np.dtype, read: Callable[[int, int], np.ndarray]
    ) -> None:
        """Create an array whose rows ``start`` to ``stop - 1`` are ``read(start, stop)``."""
        self.shape, self.dtype, self._read = shape, dtype, read

    @property
    def ndim(self) -> int:
        """Return the number of dimensions."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[np.ndarray]:
        for _, block in blocks(self):
            yield from block

    def __getitem__(self, key: Any) -> np.ndarray:
        """Return the selected rows, or a part of each selected row.

        Args:
            key: an integer, a slice, an array of integers or an array of ``len(self)`` booleans,
                which selects rows; or a tuple of one of these and further integers and slices.

        Raises:
            TypeError: if the key is not supported.
            IndexError: if a row is out of range.
        """
        first, *rest = (key or [...]) if isinstance(key, tuple) else [key]
        if not all(isinstance(item, _BASIC) and not isinstance(item, bool) for item in rest):
            raise TypeError(f"{key!r}: expected only integers and slices after the first index.")
        if first is Ellipsis:  # it may stand for no axis at all
            first, *rest = rest if len(rest) == self.ndim else [slice(None), ..., *rest]
        if isinstance(first, slice):
            rows, keep = self._slice(first), 1
        else:
            index = _row_index(first, len(self))
            if index.ndim and not all(isinstance(item, slice) or item is Ellipsis for item in rest):
                raise TypeError(f"{first!r} with other indices: select rows first, then the rest.")
            rows, keep = self._gather(index), index.ndim
        return rows[(slice(None),) * keep + tuple(rest)] if rest else rows

    def _slice(self, key: slice) -> np.ndarray:
        start, stop, step = key.indices(len(self))
        if step == 1:
            return self._read(start, max(start, stop))
        return self._gather(np.arange(start, stop, step))

    def _gather(self, index: NDArray[np.integer]) -> np.ndarray:
        """Return rows in any order, reading one block at a time."""
        rows = np.where(index < 0, index + len(self), index).reshape(-1)
        if rows.size and not (rows.min() >= 0 and rows.max() < len(self)):
            raise IndexError(f"rows {rows.min()} to {rows.max()} are not all in 0–{len(self) - 1}")
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
        return gathered.reshape(*index.shape, *self.shape[1:])

    def __deepcopy__(self, _: dict[int, Any]) -> Self:  # the array is immutable
        return self

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        whole = np.empty(self.shape, dtype or self.dtype)
        for start, block in blocks(self):
            whole[start : start + len(block)] = block
        return whole

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        arrays = (np.asarray(item) if isinstance(item, Rows) else item for item in inputs)
        return getattr(ufunc, method)(*arrays, **options)


ArrayLike = np.ndarray | Rows


def _row_index(key: Any, length: int) -> NDArray[np.integer]:
    """Return the positions of the rows that an integer or an array selects."""
    index = np.asarray(key)
    if index.size == 0 and not isinstance(key, np.ndarray):  # NumPy converts [] to floats
        index = index.astype(np.int64)
    if index.dtype == bool and index.shape == (length,):
        return np.flatnonzero(index)
    if not np.issubdtype(index.dtype, np.integer):
        raise TypeError(
            f"rows are selected by integers, slices or {length} booleans, not by {key!r}."
        )
    return index.astype(np.int64)


def blocks(array: ArrayLike, rows: int = BLOCK) -> Iterator[tuple[int, np.ndarray]]:
    """Yield all rows in order, in blocks of ``rows``: pairs of the first row's index and the block.

    A thread prefetches the next block of a file while the current block is processed.
    """
    parts = ((start, array[start : start + rows]) for start in range(0, len(array), rows))
    return ahead(parts) if isinstance(array, Rows) and len(array) > rows else parts


def ahead(items: Iterator[_T]) -> Iterator[_T]:
    """Yield the same items; a thread computes the next item while the current one is used."""
    end = object()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, items, end)
        while (item := waiting.result()) is not end:
            waiting = pool.submit(next, items, end)
            yield cast("_T", item)


def select(array: ArrayLike, rows: NDArray[np.integer]) -> ArrayLike:
    """Select rows in the given order; an array in memory is copied, others are read on access."""
    if isinstance(array, np.ndarray):
        return array[rows]
    return Rows(
        (len(rows), *array.shape[1:]), array.dtype, lambda start, stop: array[rows[start:stop]]
    )


def concatenate(parts: Sequence[ArrayLike]) -> ArrayLike:
    """Concatenate arrays of the same dtype and row shape; read on access if not in memory."""
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
    """Add a channel axis: ``(n, 28, 28)`` images become ``(n, 28, 28, 1)``."""
    if isinstance(images, np.ndarray):
        return images[..., np.newaxis]
    return Rows(
        (*images.shape, 1), images.dtype, lambda start, stop: images[start:stop][..., np.newaxis]
    )
