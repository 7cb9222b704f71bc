"""Read labeled pictures from folders whose names end with the digit."""

from collections import Counter
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from mnist_kedro.errors import InputError
from mnist_kedro.pictures.batches import READ, Pictures
from mnist_kedro.pictures.files import open_folder
from mnist_kedro.readers.loaded import (
    Progress,
    ReadableFile,
    RefusalError,
    check_row_count,
    loaded_file,
)

MEMORY_BYTES = 2**36  # Each thread reserves address space; the size of pictures is limited.
_BATCH = 200  # pictures


def open_file(
    path: str, options: dict[str, Any], progress: Progress
) -> AbstractContextManager[ReadableFile]:
    """Prepare all pictures of some folders; skip pictures without a digit.

    Args:
        path: path of a folder.
        options: ``folders``, the names of its sub-folders, which end with a digit.
        progress: called with the number of processed pictures, and the total.

    Returns:
        An array ``(n, 28, 28)`` per folder, with the folder's name, and a warning with the number
        of skipped pictures per reason.

    Raises:
        RefusalError: if none of the pictures can be used.
    """
    folders = {name: _open(Path(path, name)) for name in options["folders"]}
    total = sum(pictures.total for pictures in folders.values())
    check_row_count(total, options)
    arrays: dict[str, np.ndarray] = {}
    skipped: dict[str, str] = {}
    done = 0
    for name, pictures in folders.items():
        prepared = []
        for start in range(0, pictures.total, _BATCH):
            rows = range(start, min(start + _BATCH, pictures.total))
            for batch in pictures.take(rows):
                good = np.array([status == READ for status in batch.status])
                prepared.append(batch.pixels[good, ..., 0])
                skipped |= {
                    f"{name}/{file}": status
                    for file, status in zip(batch.files, batch.status, strict=True)
                    if status != READ
                }
            done += len(rows)
            progress({"done": done, "total": total})
        arrays[name] = np.concatenate(prepared)
    if len(skipped) == total:
        raise RefusalError(_describe(skipped, total))
    return loaded_file(arrays, warning=_describe(skipped, total) if skipped else "")


def _open(folder: Path) -> Pictures:
    try:
        return open_folder(folder, keep_small=True)
    except InputError as error:
        raise RefusalError(str(error)) from error


def _describe(skipped: dict[str, str], total: int) -> str:
    reasons = Counter(skipped.values()).most_common(5)
    counted = "; ".join(f"{count:,} {reason}" for reason, count in reasons)
    names = ", ".join(list(skipped)[:3]) + (", …" if len(skipped) > 3 else "")
    return f"skipped {len(skipped):,} of {total:,} pictures ({counted}): {names}."
