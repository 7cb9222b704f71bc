"""Images in an HDF5 or npz file, as they are, by the batch."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mnist_kedro.arrays import ahead, concatenate
from mnist_kedro.contracts import Labels
from mnist_kedro.errors import InputError
from mnist_kedro.pictures.batches import BATCH, BLANK, READ, Batch, Pictures
from mnist_kedro.sources.contents import Contents, OpenFile, StoredArray
from mnist_kedro.sources.files import OPENERS
from mnist_kedro.sources.labels import labels_of
from mnist_kedro.sources.layout import find_layout
from mnist_kedro.sources.pixels import Images, are_few, recognise
from mnist_kedro.sources.shapes import EXPECTED, count_images


def open_arrays(path: Path) -> Pictures:
    """Find images in a file: all splits of what has a layout of MNIST's, or else the one array.

    Raises:
        InputError: when there is neither, or they are not as they should be.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file; expected an HDF5 or npz file of images.")
    file = OpenFile(OPENERS[path.suffix.lower()](path))
    found = _with_labels(file.contents)
    labels = np.concatenate([of_part for *_, of_part in found]) if found else None
    arrays = [part[:2] for part in found] or [(_only_array(file.contents), slice(None))]
    parts = [Images(array, rows, str(path)) for array, rows in arrays]
    for part in parts:
        part.survey(keep=are_few(parts))
    form = recognise(parts)
    pixels = concatenate([part.converted(form) for part in parts])
    firsts = [rows.start or 0 for _, rows in arrays]
    ends = np.cumsum([len(part) for part in parts])

    def name(row: int) -> str:  # it also keeps the file open
        at = int(np.searchsorted(ends, row, side="right"))
        within = row - int(ends[at]) + len(parts[at]) + firsts[at]
        return f"{file.contents.path.name}#{parts[at].name}/{within}"

    def take(rows: Sequence[int]) -> Iterator[Batch]:
        return ahead(batches(rows))

    def batches(rows: Sequence[int]) -> Iterator[Batch]:
        for start in range(0, len(rows), BATCH):
            some = np.asarray(rows[start : start + BATCH])
            images = pixels[some][..., np.newaxis]
            written = images.reshape(len(images), -1).max(axis=1) > 0
            yield Batch(
                [name(int(row)) for row in some],
                images,
                [READ if ink else BLANK for ink in written],
                [None] * len(some) if labels is None else labels[some].tolist(),
            )

    return Pictures(len(pixels), labels is not None, take)


def _with_labels(contents: Contents) -> list[tuple[StoredArray, slice, Labels]]:
    """All splits, if the file has a layout of MNIST's."""
    try:
        layout = find_layout(contents)
    except InputError:
        return []
    return [
        (piece.images, piece.rows, labels_of(piece, str(contents.path))[0])
        for piece in (*layout.train, *layout.test)
    ]


def _only_array(contents: Contents) -> StoredArray:
    found = [array for array in contents.arrays.values() if count_images(array)]
    if len(found) != 1:
        names = ", ".join(f"'{array.name}'" for array in found) or "none"
        raise InputError(
            f"{contents.path}: expected one array of images {EXPECTED}, or those of MNIST with "
            f"their labels, found {names}."
        )
    return found[0]
