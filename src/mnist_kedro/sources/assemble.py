"""Put MNIST together from the pieces that a layout names."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mnist_kedro.arrays import ArrayLike, concatenate, select
from mnist_kedro.contracts import GIVEN
from mnist_kedro.errors import InputError
from mnist_kedro.parameters import IngestionParameters
from mnist_kedro.sources.canonical import Arrays
from mnist_kedro.sources.labels import labels_of
from mnist_kedro.sources.layout import Layout
from mnist_kedro.sources.pixels import Images, PixelForm, are_few, recognise
from mnist_kedro.stratification import stratified_choice


@dataclass(frozen=True)
class Assembled:
    """The four arrays, what was done to give them their form, and where the test split is from.

    Images that are too many for memory are read from the file again and again, so it stays open.
    """

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
    labels, label_forms = zip(*(labels_of(piece, where) for piece in pieces), strict=True)
    few = are_few(images)
    for part in images:
        part.survey(keep=few)
    form = recognise(images)

    forms = [*(part.described(form) for part in images), *label_forms]
    if layout.joined_validation:
        forms.append("validation split joined to the training split")
    count = len(layout.train)
    arrays: Arrays = {
        "x_train": _join_images(images[:count], form, few),
        "y_train": np.concatenate(labels[:count]),
    }
    test_split = GIVEN
    if layout.test:
        arrays["x_test"] = _join_images(images[count:], form, few)
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


def _join_images(parts: Sequence[Images], form: PixelForm, few: bool) -> ArrayLike:
    joined = concatenate([part.converted(form) for part in parts])
    return np.asarray(joined) if few else joined


def _hold_out_test(
    arrays: Arrays, where: str, parameters: IngestionParameters
) -> tuple[Arrays, str]:
    images, labels = arrays["x_train"], np.asarray(arrays["y_train"])
    held_out = stratified_choice(
        labels,
        parameters.test_fraction,
        parameters.seed,
        where=where,
        parameter="ingestion.test_fraction",
    )
    learned, tested = np.flatnonzero(~held_out), np.flatnonzero(held_out)
    split = {
        "x_train": select(images, learned),
        "y_train": labels[learned],
        "x_test": select(images, tested),
        "y_test": labels[tested],
    }
    how = f"a fraction of {parameters.test_fraction:g} of each class, seed {parameters.seed}"
    return split, f"held out here, since the file has no test split ({how})"
