"""Describe the contents of a file to the other process, and refuse what must not be read."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

MAX_TEXT_BYTES = 64  # of a label

Progress = Callable[[dict[str, int]], None]


class RefusalError(Exception):
    """A file that cannot be read; the message ends the sentence that begins with its path."""


@dataclass(frozen=True)
class ReadableFile:
    """The description of an open file, and a function that reads rows: (name, axis, start, stop).

    The description has the lists ``arrays``, ``groups``, ``links``, ``attributes`` and ``fuel``.
    """

    description: dict[str, Any]
    read: Callable[[str, int, int, int], np.ndarray]


@contextmanager
def loaded_file(
    arrays: Mapping[str, np.ndarray], problems: Mapping[str, str] | None = None, warning: str = ""
) -> Iterator[ReadableFile]:
    """Offer arrays that are in memory.

    Args:
        arrays: by name; text becomes bytes.
        problems: the names of other values, and why these cannot be read.
        warning: one line for the user.
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
    """Refuse more rows than digits may be read."""
    if count > options["max_digits"]:
        raise RefusalError(
            f"holds more than {options['max_digits']:,} digits; at most ingestion.max_digits="
            f"{options['max_digits']:,} are read."
        )
