"""Assemble the arrays of MNIST from the pieces that a layout names."""

from collections.abc import Sequence

import numpy as np

from mnist_kedro.arrays import ArrayLike, concatenate, select
from mnist_kedro.contracts import GIVEN
from mnist_kedro.errors import InputError
from mnist_kedro.parameters import IngestionParameters
from mnist_kedro.sources.canonical import Arrays
from mnist_kedro.sources.labels import labels_of
from mnist_kedro.sources.layout import Layout
from mnist_kedro.sources.pixels import Images, PixelForm, are_few, recognize
from mnist_kedro.stratification import stratified_choice


def assemble(
    layout: Layout, where: str, parameters: IngestionParameters
) -> tuple[Arrays, str, str]:
    """Read and convert the pieces, and hold out a test split if the file has none.

    Args:
        layout: of an open file.
        where: the file's path, for error messages.
        parameters: ``max_digits`` to accept; ``test_fraction`` and ``seed`` of a held-out split.

    Returns:
        The four arrays, the conversions applied to them, and the origin of the test split. Images
        that do not fit in memory are read from the file on every access, so it must stay open.

    Raises:
        InputError: if a piece does not hold valid images or labels, or there are too many digits.
    """
    pieces = (*layout.train, *layout.test)
    images = [Images(piece.images, piece.rows, where) for piece in pieces]
    _check_digit_count(sum(map(len, images)), where, parameters.max_digits)
    labels, label_forms = zip(*(labels_of(piece, where) for piece in pieces), strict=True)
    in_memory = are_few(images)
    for part in images:
        part.survey(keep=in_memory)
    form = recognize(images)

    conversions = [*(part.describe_conversion(form) for part in images), *label_forms]
    if layout.joined_validation:
        conversions.append("validation split joined to the training split")
    train_count = len(layout.train)
    arrays: Arrays = {
        "x_train": _join_images(images[:train_count], form, in_memory),
        "y_train": np.concatenate(labels[:train_count]),
    }
    test_split = GIVEN
    if layout.test:
        arrays["x_test"] = _join_images(images[train_count:], form, in_memory)
        arrays["y_test"] = np.concatenate(labels[train_count:])
    else:
        arrays, test_split = _hold_out_test(arrays, where, parameters)
    described = "; ".join(dict.fromkeys(filter(None, conversions)))
    return arrays, described or "none", test_split


def _check_digit_count(count: int, where: str, max_digits: int) -> None:
    if count > max_digits:
        raise InputError(
            f"{where}: declares {count:,} digits; at most ingestion.max_digits={max_digits:,} "
            "are read."
        )


def _join_images(parts: Sequence[Images], form: PixelForm, in_memory: bool) -> ArrayLike:
    joined = concatenate([part.converted(form) for part in parts])
    return np.asarray(joined) if in_memory else joined


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
    train, test = np.flatnonzero(~held_out), np.flatnonzero(held_out)
    split = {
        "x_train": select(images, train),
        "y_train": labels[train],
        "x_test": select(images, test),
        "y_test": labels[test],
    }
    method = f"a fraction of {parameters.test_fraction:g} of each class, seed {parameters.seed}"
    return split, f"held out here, since the file has no test split ({method})"
