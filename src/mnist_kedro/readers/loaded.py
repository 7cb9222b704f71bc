"""Describe the contents of a file to the parent process, and reject unsafe content."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

MAX_TEXT_BYTES = 64  # length of a label

Progress = Callable[[dict[str, int]], None]


class RefusalError(Exception):
    """A file that cannot be read; the message continues a sentence that begins with its path."""


@dataclass(frozen=True)
class ReadableFile:
    """The description of an open file, and a function ``read(name, axis, start, stop)``.

    The description has the lists ``arrays``, ``groups``, ``links``, ``attributes`` and ``fuel``.
    """

    description: dict[str, Any]
    read: Callable[[str, int, int, int], np.ndarray]


@contextmanager
def loaded_file(
    arrays: Mapping[str, np.ndarray], problems: Mapping[str, str] | None = None, warning: str = ""
) -> Iterator[ReadableFile]:
    """Yield a file whose arrays are in memory.

    Args:
        arrays: the arrays by name; text is encoded as UTF-8.
        problems: the names of values that cannot be read, and the reasons.
        warning: a one-line warning for the user.
    """
    plain = {name: _encode_text(array) for name, array in arrays.items()}
    described = [
        {"name": name, "shape": array.shape, "dtype": array.dtype.str, "chunk_bytes": 0}
        for name, array in plain.items()
    ]
    unreadable = [
        {"name": name, "shape": [], "dtype": "V1", "chunk_bytes": 0, "problem": problem}
        for name, problem in (problems or {}).items()
    ]
    description = {"arrays": [*described, *unreadable], "warning": warning}

    def read(name: str, axis: int, start: int, stop: int) -> np.ndarray:
        return plain[name][(slice(None),) * axis + (slice(start, stop),)]

    yield ReadableFile(description, read)


def _encode_text(array: np.ndarray) -> np.ndarray:
    return np.char.encode(array, "utf-8") if array.dtype.kind == "U" else array


def check_row_count(count: int, options: Mapping[str, int]) -> None:
    """Raise RefusalError if there are more rows than ``max_digits``."""
    if count > options["max_digits"]:
        raise RefusalError(
            f"holds more than {options['max_digits']:,} digits; at most ingestion.max_digits="
            f"{options['max_digits']:,} are read."
        )
