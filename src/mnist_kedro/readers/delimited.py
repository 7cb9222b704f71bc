"""Read tables of numbers separated by commas, semicolons, tabs or spaces."""

import csv
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import pandas as pd

from mnist_kedro.readers.columns import compact, split_columns
from mnist_kedro.readers.loaded import (
    Progress,
    ReadableFile,
    RefusalError,
    check_row_count,
    loaded_file,
)

_CHUNK = 5_000  # rows per block: 16 MB
_MAX_LINE = 100_000  # characters
_MAX_FLOAT = float(np.finfo(np.float32).max)
_ENCODING = "utf-8-sig"  # skips the byte order mark of Excel


def open_file(
    path: str, options: dict[str, Any], _: Progress
) -> AbstractContextManager[ReadableFile]:
    """Load a table, and split it with :func:`mnist_kedro.readers.columns.split_columns`.

    Raises:
        RefusalError: if a cell is missing or not a number, or the rows differ in length.
    """
    with open(path, encoding=_ENCODING, errors="replace", newline="") as file:  # noqa: PTH123
        line = file.readline(_MAX_LINE)
    if len(line) == _MAX_LINE:
        raise RefusalError(f"line 1 has {_MAX_LINE:,} characters or more; expected a table.")
    # Use spaces as separators (numpy.savetxt) only if there is no other one: names contain spaces.
    separator = max(",;\t", key=line.count)
    if separator not in line and " " in line.strip():
        separator = " "
    first = next(csv.reader([line], delimiter=separator), [])
    has_header = _is_header(first)
    names = first if has_header else None
    blocks: list[np.ndarray] = []
    count = 0
    try:
        with np.errstate(over="ignore"):  # _check_block rejects infinity.
            for block in _parse(path, separator, has_header=has_header):
                count += len(block)
                check_row_count(count, options)
                blocks.append(_check_block(block, len(first)))
    except pd.errors.EmptyDataError:
        blocks = []
    except (ValueError, pd.errors.ParserError) as error:
        problem = _find_problem(path, separator, len(first), has_header=has_header)
        raise RefusalError(problem or f"is not a table of numbers ({error}).") from None
    if not blocks:
        raise RefusalError("has no rows.")
    return loaded_file(split_columns(names, np.concatenate(blocks)))


def _is_header(cells: list[str]) -> bool:
    """Return whether the first row is a header of names or column numbers.

    A row of numbers with one corrupt cell is not a header.
    """
    numbers = [cell for cell in cells if _is_number(cell)]
    from_zero, from_one = ([str(i + start) for i in range(len(numbers))] for start in (0, 1))
    numbered = len(cells) > 1 and numbers in (from_zero, from_one)
    return 2 * len(numbers) < len(cells) or numbered


def _parse(path: str, separator: str, *, has_header: bool) -> Iterator[np.ndarray]:
    """Yield blocks of rows as float32, which represents integers up to 2²⁴ exactly."""
    with pd.read_csv(
        path,
        sep=separator,
        header=None,
        skiprows=int(has_header),
        index_col=False,
        dtype=np.float32,
        chunksize=_CHUNK,
        encoding=_ENCODING,
        encoding_errors="replace",
        on_bad_lines="error",
    ) as reader:
        for frame in reader:
            yield frame.to_numpy()


def _check_block(block: np.ndarray, columns: int) -> np.ndarray:
    if block.shape[1] != columns or not np.isfinite(block).all():
        raise ValueError("cells are missing")
    return compact(block)


def _is_number(cell: str) -> bool:
    try:
        return abs(float(cell)) < _MAX_FLOAT  # False for NaN
    except ValueError:
        return False


def _find_problem(path: str, separator: str, count: int, *, has_header: bool) -> str:
    """Describe the first row that does not consist of numbers."""
    with open(path, encoding=_ENCODING, errors="replace", newline="") as file:  # noqa: PTH123
        reader = csv.reader(file, delimiter=separator)
        try:
            for row in reader:
                if not row or (has_header and reader.line_num == 1):
                    continue
                if len(row) != count:
                    return (
                        f"line {reader.line_num:,} has {len(row):,} cells; expected {count:,} as "
                        "in line 1."
                    )
                for column, cell in enumerate(row):
                    if not _is_number(cell):
                        found = re.sub(r"\s+", " ", cell)[:40]
                        return (
                            f"line {reader.line_num:,}, column {column + 1:,} is '{found}'; "
                            "expected a number."
                        )
        except csv.Error as error:
            return f"line {reader.line_num:,} is not a row of a table ({error})."
    return ""
