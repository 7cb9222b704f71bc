"""Put MNIST together from the pieces that a layout names."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mnist_kedro.contracts import GIVEN, IMAGE_SIDE, Labels
from mnist_kedro.errors import InputError
from mnist_kedro.parameters import IngestionParameters
from mnist_kedro.sources.canonical import Arrays
from mnist_kedro.sources.labels import read_labels
from mnist_kedro.sources.layout import Layout, Piece
from mnist_kedro.sources.pixels import Images, PixelForm, recognise
from mnist_kedro.stratification import stratified_choice


@dataclass(frozen=True)
class Assembled:
    """The four arrays, what was done to give them their form, and where the test split is from."""

    arrays: Arrays
    conversions: str
    test_split: str


def assemble(layout: Layout, where: str, parameters: IngestionParameters) -> Assembled:
    """Read the pieces, convert them, and make a test split if there is none.

    Args:
        layout: of a file that is open.
        where: its path, for messages.
        parameters: how many digits are believed, and how a missing test split is made.

    Raises:
        InputError: when a piece is not what its name says, or there are too many digits.
    """
    pieces = (*layout.train, *layout.test)
    images = [Images(piece.images, piece.rows, where) for piece in pieces]
    _check_amount(sum(map(len, images)), where, parameters.max_digits)
    labels, label_forms = zip(*(_read_labels(piece, where) for piece in pieces), strict=True)
    for part in images:
        part.survey()
    form = recognise(images)

    forms = [*(part.described(form) for part in images), *label_forms]
    if layout.joined_validation:
        forms.append("validation split joined to the training split")
    count = len(layout.train)
    arrays = {
        "x_train": _join_images(images[:count], form),
        "y_train": np.concatenate(labels[:count]),
    }
    test_split = GIVEN
    if layout.test:
        arrays["x_test"] = _join_images(images[count:], form)
        arrays["y_test"] = np.concatenate(labels[count:])
    else:
        arrays, test_split = _hold_out_test(arrays, where, parameters)
    return Assembled(arrays, "; ".join(dict.fromkeys(filter(None, forms))) or "none", test_split)


def _check_amount(count: int, where: str, max_digits: int) -> None:
    if count > max_digits:
        raise InputError(
            f"{where}: declares {count:,} digits; at most ingestion.max_digits={max_digits:,} "
            "are read."
        )


def _read_labels(piece: Piece, where: str) -> tuple[Labels, str]:
    images = Images(piece.images, slice(None), where)
    if isinstance(piece.labels, int):
        return np.full(len(images), piece.labels, np.uint8), ""
    return read_labels(piece.labels, len(images), piece.rows, where)


def _join_images(parts: Sequence[Images], form: PixelForm) -> np.ndarray:
    joined = np.empty((sum(map(len, parts)), IMAGE_SIDE, IMAGE_SIDE), np.uint8)
    start = 0
    for part in parts:
        part.read_into(joined[start : start + len(part)], form)
        start += len(part)
    return joined


def _hold_out_test(
    arrays: Arrays, where: str, parameters: IngestionParameters
) -> tuple[Arrays, str]:
    images, labels = arrays["x_train"], arrays["y_train"]
    held_out = stratified_choice(
        labels,
        parameters.test_fraction,
        parameters.seed,
        where=where,
        parameter="ingestion.test_fraction",
    )
    split = {
        "x_train": images[~held_out],
        "y_train": labels[~held_out],
        "x_test": images[held_out],
        "y_test": labels[held_out],
    }
    how = f"a fraction of {parameters.test_fraction:g} of each class, seed {parameters.seed}"
    return split, f"held out here, since the file has no test split ({how})"
