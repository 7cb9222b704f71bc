"""Find the label and the pixels among the columns of a table."""

from collections.abc import Sequence

import numpy as np

from mnist_kedro.readers.loaded import RefusalError

PIXELS = 784
_CLASSES = 10
_LABEL_NAMES = {"label", "labels", "class", "target", "targets", "y", "digit"}


def split_columns(names: Sequence[str] | None, values: np.ndarray) -> dict[str, np.ndarray]:
    """Split a table into pixels and labels.

    Args:
        names: names of the columns; None if the table has no header.
        values: the table, ``(n, columns)``.

    Returns:
        ``label`` ``(n,)`` and ``pixels`` ``(n, 784)``, or only ``pixels`` for a table without
        labels; ``values`` ``(n, 784)`` or ``(n, 785)`` if no column is named as a label; ``labels``
        ``(n,)`` or one-hot ``(n, 10)`` if the table has one or ten columns.

    Raises:
        RefusalError: if the table has any other number of columns.
    """
    columns = [name.strip().lower() for name in names or ()]
    if values.shape[1] in {1, _CLASSES}:  # one-hot
        return {"labels": compact(values if values.shape[1] > 1 else values[:, 0])}
    kept = np.array([not _is_index(name, place) for place, name in enumerate(columns)], bool)
    if not columns:
        kept = np.ones(values.shape[1], bool)
    labels = [i for i, name in enumerate(columns) if name in _LABEL_NAMES]
    if len(labels) == 1:
        kept[labels] = False
        if kept.sum() == PIXELS:
            return {"label": compact(values[:, labels[0]]), "pixels": compact(values[:, kept])}
    elif kept.sum() == PIXELS and names:
        return {"pixels": compact(values[:, kept])}
    elif kept.sum() in {PIXELS, PIXELS + 1}:
        return {"values": compact(values[:, kept])}
    found = f"{values.shape[1]:,} columns"
    if names:
        shown = [*names[:4], "…"] if len(names) > 4 else names
        found += f" ({', '.join(name[:20] for name in shown)})"
    raise RefusalError(
        f"expected {PIXELS} columns of pixels (28 × 28), and a column 'label' or the label first, "
        f"found {found}; remove or add columns."
    )


def _is_index(name: str, place: int) -> bool:
    """Return whether a column holds row numbers, such as those of pandas and Kaggle."""
    first = place == 0 and (name in {"", "id", "index"} or name.startswith("unnamed"))
    return first or name.startswith("__index_level_")


def compact(values: np.ndarray) -> np.ndarray:
    """Convert integers in 0–255 to uint8; return all other values unchanged."""
    if values.dtype.kind in "biuf" and values.size and 0 <= values.min() <= values.max() <= 255:
        small = values.astype(np.uint8)
        if np.array_equal(small, values):
            return small
    return values
