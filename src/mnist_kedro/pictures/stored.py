"""Read the images of a file of arrays in batches, without preparing them."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mnist_kedro.arrays import ahead, concatenate
from mnist_kedro.contracts import Labels
from mnist_kedro.digest import sha256
from mnist_kedro.errors import InputError
from mnist_kedro.pictures.batches import BATCH, BLANK, READ, Batch, Pictures
from mnist_kedro.pictures.thumbnail import Thumbnail, make_thumbnail
from mnist_kedro.sources.content import Split, compare, reorient
from mnist_kedro.sources.contents import Contents, OpenFile, StoredArray
from mnist_kedro.sources.images import Images, are_few, recognize
from mnist_kedro.sources.labels import labels_of
from mnist_kedro.sources.layout import find_layout
from mnist_kedro.sources.one_file import open_file
from mnist_kedro.sources.shapes import EXPECTED, count_images

logger = logging.getLogger(__name__)

_MAX_DIGITS = 10_000_000  # as ingestion.max_digits
_UNKNOWN = 255  # a label


def open_arrays(path: Path, trained_on: str | None = None) -> Pictures:
    """Find images in a file: all splits of a layout of MNIST, or else the only array of images.

    Args:
        path: of the file.
        trained_on: SHA-256 of the labels that a model was trained with. The digits with these
            labels have none in the batches, because an accuracy on them would say nothing.

    Raises:
        InputError: if the file does not exist, has neither, or has images of another form.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file; expected a file of images.")
    file = OpenFile(open_file(path, _MAX_DIGITS))
    splits = _labeled_splits(file.contents, trained_on)
    labels = np.concatenate([split_labels for *_, split_labels in splits]) if splits else None
    arrays = [split[:2] for split in splits] or [(_find_image_array(file.contents), slice(None))]
    parts = [Images(array, rows, str(path)) for array, rows in arrays]
    for part in parts:
        part.survey(keep=are_few(parts))
    form = recognize(parts)
    pixels = concatenate([part.converted(form) for part in parts])
    if labels is not None:
        orientation = compare("images", Split(pixels, labels)).orientation
        if orientation != "as_is":
            shown = orientation.replace("_", " ")
            logger.warning("%s: the images are %s; they are turned upright.", path, shown)
            pixels = reorient(pixels, orientation)
    firsts = [rows.start or 0 for _, rows in arrays]
    ends = np.cumsum([len(part) for part in parts])

    def name(row: int) -> str:  # This reference to the file also keeps it open.
        at = int(np.searchsorted(ends, row, side="right"))
        within = row - int(ends[at]) + len(parts[at]) + firsts[at]
        return f"{file.contents.path.name}#{parts[at].name}/{within}"

    def take(rows: Sequence[int]) -> Iterator[Batch]:
        return ahead(batches(rows))

    def batches(rows: Sequence[int]) -> Iterator[Batch]:
        for start in range(0, len(rows), BATCH):
            batch_rows = np.asarray(rows[start : start + BATCH])
            images = pixels[batch_rows][..., np.newaxis]
            has_ink = images.reshape(len(images), -1).max(axis=1) > 0
            yield Batch(
                [name(int(row)) for row in batch_rows],
                images,
                [READ if ink else BLANK for ink in has_ink],
                [None] * len(batch_rows) if labels is None else _known(labels[batch_rows]),
                [False] * len(batch_rows),
                [True] * len(batch_rows),
                [None] * len(batch_rows),
            )

    def show(row: int) -> Thumbnail:
        return make_thumbnail(255 - pixels[np.array([row])][0])

    return Pictures(len(pixels), labels is not None, take, show)


def _known(labels: np.ndarray) -> list[int | None]:
    return [None if label == _UNKNOWN else label for label in labels.tolist()]


def _labeled_splits(
    contents: Contents, trained_on: str | None
) -> list[tuple[StoredArray, slice, Labels]]:
    """Return the images, rows and labels of all splits; an empty list without MNIST's layout."""
    try:
        layout = find_layout(contents, by_names=True)
    except InputError:
        return []
    splits = []
    parts = layout.splits
    for pieces in (parts["train"] + parts.get("validation", ()), parts.get("test", ())):
        labels = [labels_of(piece, str(contents.path))[0] for piece in pieces]
        if labels and sha256(np.concatenate(labels)) == trained_on:
            logger.warning(
                "%s: the model was trained on the digits in '%s', so their labels are ignored.",
                contents.path,
                pieces[0].images.name,
            )
            labels = [np.full_like(one, _UNKNOWN) for one in labels]
        splits += [
            (piece.images, piece.rows, one) for piece, one in zip(pieces, labels, strict=True)
        ]
    return splits


def _find_image_array(contents: Contents) -> StoredArray:
    found = [array for array in contents.arrays.values() if count_images(array)]
    if len(found) != 1:
        names = ", ".join(f"'{array.name}'" for array in found) or "none"
        raise InputError(
            f"{contents.path}: expected one array of images {EXPECTED}, or MNIST with its labels, "
            f"found {names}."
        )
    return found[0]
