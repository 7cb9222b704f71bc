"""Read Parquet files: columns of numbers, of lists of numbers, or of PNG and JPEG pictures."""

from collections import defaultdict
from contextlib import AbstractContextManager
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from mnist_kedro.readers.columns import PIXELS, compact, split_columns
from mnist_kedro.readers.loaded import (
    MAX_TEXT_BYTES,
    Progress,
    ReadableFile,
    RefusalError,
    check_row_count,
    loaded_file,
)

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError as error:
    raise RefusalError(
        'reading a Parquet file needs pyarrow; install it: pip install "mnist_kedro[parquet]"'
    ) from error

_ROWS = 1_000  # rows per batch
_MAX_SIDE = 512  # pixels
_KINDS = ("number", "list", "picture", "text")


def open_file(
    path: str, options: dict[str, Any], _: Progress
) -> AbstractContextManager[ReadableFile]:
    """Load the columns of numbers, lists, pictures and short text; skip all others.

    A table with one number per column is split like a CSV file. A column of pictures, such as
    Hugging Face's struct ``image``, becomes an array ``(n, height, width)`` with the same name.

    Raises:
        RefusalError: if a value is missing, or the pictures or lists of a column differ in size.
    """
    pa.set_memory_pool(pa.system_memory_pool())  # other pools reserve more memory than the limit
    columns: dict[str, list[np.ndarray]] = defaultdict(list)
    with pq.ParquetFile(path, pre_buffer=False) as file:
        check_row_count(file.metadata.num_rows, options)
        kinds = {
            field.name: kind for field in file.schema_arrow if (kind := _column_kind(field.type))
        }
        if not kinds or len({*file.schema_arrow.names}) < len(file.schema_arrow.names):
            raise RefusalError(
                "has no columns of numbers or pictures, or two columns with the same name."
            )
        first = 0
        for batch in file.iter_batches(_ROWS, use_threads=False):
            for field, column in zip(batch.schema, batch.columns, strict=True):
                if field.name in kinds:
                    values = _convert(column, field, kinds[field.name], first)
                    columns[field.name].append(values)
            first += len(batch)
    if not columns:
        raise RefusalError("has no rows.")
    try:
        arrays = {name: np.concatenate(parts) for name, parts in columns.items()}
    except ValueError as error:
        raise RefusalError(f"has a column whose values differ in size ({error}).") from error
    numbers = [name for name, kind in kinds.items() if kind == "number"]
    if len(numbers) >= PIXELS:
        table = split_columns(numbers, np.column_stack([arrays.pop(name) for name in numbers]))
        return loaded_file({**arrays, **table})
    return loaded_file({name: compact(array) for name, array in arrays.items()})


def _column_kind(kind: pa.DataType) -> str | None:
    if pa.types.is_struct(kind):
        kind = kind.field("bytes").type if kind.get_field_index("bytes") >= 0 else kind
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return "picture"
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "text"
    depth = 0
    while (
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    ):
        kind, depth = kind.value_type, depth + 1
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        return "list" if depth else "number"
    return None


def _convert(column: pa.Array, field: pa.Field, kind: str, first: int) -> np.ndarray:
    """Convert some rows of a column; ``first`` is the number of the first row."""
    if pa.types.is_struct(field.type):
        column = column.field("bytes")
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    shape = [len(column)]
    if kind == "list":
        while hasattr(column.type, "value_type"):
            _reject_nulls(column, field.name)
            lengths = np.unique(column.value_lengths().to_numpy(zero_copy_only=False))
            if len(lengths) != 1:
                raise RefusalError(
                    f"'{field.name}' has lists of different lengths; expected 784 numbers."
                )
            shape.append(int(lengths[0]))
            column = column.flatten()
    _reject_nulls(column, field.name)
    if kind == "picture":
        return _decode([value.as_py() for value in column], field.name, first)
    if kind == "text":
        texts = [value.as_py().encode()[: MAX_TEXT_BYTES + 1] for value in column]
        return np.array(texts, f"S{MAX_TEXT_BYTES}")
    return column.to_numpy(zero_copy_only=False).reshape(shape)


def _reject_nulls(column: pa.Array, name: str) -> None:
    if column.null_count:
        raise RefusalError(
            f"'{name}' has {column.null_count:,} missing values; expected a value in each row."
        )


def _decode(contents: list[bytes], name: str, first: int) -> np.ndarray:
    """Decode pictures of equal size to gray levels, ``(n, height, width)`` uint8."""
    pictures: list[np.ndarray] = []
    for row, content in enumerate(contents, first):
        try:
            with Image.open(BytesIO(content), formats=("PNG", "JPEG")) as picture:
                width, height = picture.size
                fits = max(width, height) <= _MAX_SIDE
                if fits:
                    pictures.append(np.asarray(picture.convert("L")))
        except MemoryError:
            raise
        except Exception as error:
            raise RefusalError(f"'{name}' has a corrupt picture in row {row:,}.") from error
        if not fits or pictures[-1].shape != pictures[0].shape:
            raise RefusalError(
                f"'{name}' has a picture of {width} × {height} pixels; expected pictures of "
                f"equal size, at most {_MAX_SIDE} × {_MAX_SIDE}."
            )
    return np.stack(pictures)
