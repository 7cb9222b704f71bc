"""Read and convert the arrays of MNIST that a layout lists."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mnist_kedro.arrays import ArrayLike, concatenate, select
from mnist_kedro.contracts import CLASSES
from mnist_kedro.errors import InputError
from mnist_kedro.parameters import IngestionParameters
from mnist_kedro.sources.content import Split, Splits
from mnist_kedro.sources.images import Images, are_few, recognize
from mnist_kedro.sources.labels import labels_of
from mnist_kedro.sources.layout import Layout, Piece
from mnist_kedro.sources.pixels import PixelForm
from mnist_kedro.stratification import stratified_choice


class Assembled(NamedTuple):
    """The splits of a file, and descriptions of their conversions."""

    splits: dict[str, Split]
    conversions: list[str]
    warnings: list[str]


def assemble(layout: Layout, where: str, parameters: IngestionParameters) -> Assembled:
    """Read the pieces of a layout; convert images to bytes and labels to integers.

    Args:
        layout: the layout of an open file.
        where: the file's path, for error messages.
        parameters: the parameters ``max_digits``, ``pixel_range``, ``background`` and ``labels``.

    Returns:
        The splits, with the stored orientation and label values. More than 250,000 images are read
        from the file on every access, so the file must stay open.

    Raises:
        InputError: if a piece does not hold valid images or labels, or there are too many digits.
    """
    images = {
        split: [Images(piece.images, piece.rows, where) for piece in pieces]
        for split, pieces in layout.splits.items()
    }
    every = [part for parts in images.values() for part in parts]
    _check_digit_count(sum(map(len, every)), where, parameters.max_digits)
    labels, conversions = _read_labels(layout, where, parameters)
    in_memory = are_few(every)
    for part in every:
        part.survey(keep=in_memory)
    form = recognize(every, parameters.pixel_range, parameters.background)
    splits = {
        split: Split(_join_images(parts, form, in_memory), labels[split])
        for split, parts in images.items()
    }
    converted = [part.describe_conversion(form) for part in every]
    if "validation" in layout.splits:
        conversions.append("validation split joined to the training split")
    return Assembled(
        splits,
        list(dict.fromkeys(filter(None, [*converted, *conversions]))),
        [f"'{name}' is not used" for name in layout.unused],
    )


def _read_labels(
    layout: Layout, where: str, parameters: IngestionParameters
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return the stored labels of each split, and descriptions of their forms."""
    chosen = parameters.labels
    limit = len(chosen) if isinstance(chosen, tuple) else CLASSES + (chosen == "auto")
    labels, forms = _read_labels_below(limit, layout, where)
    lowest = min(split.min() for split in labels.values())
    highest = max(split.max() for split in labels.values())
    if chosen == "auto" and lowest == 0 and highest == CLASSES:
        labels, forms = _read_labels_below(CLASSES, layout, where)  # raises an error
    return labels, forms


def _read_labels_below(
    limit: int, layout: Layout, where: str
) -> tuple[dict[str, np.ndarray], list[str]]:
    forms: list[str] = []

    def read(pieces: Sequence[Piece]) -> np.ndarray:
        labels, new = zip(*(labels_of(piece, where, limit) for piece in pieces), strict=True)
        forms.extend(new)
        return np.concatenate(labels)

    return {split: read(pieces) for split, pieces in layout.splits.items()}, forms


def join_validation(splits: Splits) -> dict[str, Split]:
    """Join validation to training digits, because the project creates its own validation split."""
    if "validation" not in splits:
        return dict(splits)
    images, labels = zip(splits["train"], splits["validation"], strict=True)
    joined = {"train": Split(concatenate(images), np.concatenate(labels))}
    return joined | {split: splits[split] for split in splits if split == "test"}


def hold_out_test(
    splits: Splits, where: str, parameters: IngestionParameters
) -> tuple[dict[str, Split], str]:
    """Divide all digits into training and test digits.

    Args:
        splits: ``train``, and ``validation`` if the file has it.
        where: the file's path, for error messages.
        parameters: ``test_fraction`` (of each class) and ``seed``.

    Returns:
        The splits ``train`` and ``test``, and how the test digits were chosen.
    """
    images, labels = join_validation(splits)["train"]
    held_out = stratified_choice(
        labels,
        parameters.test_fraction,
        parameters.seed,
        where=where,
        parameter="ingestion.test_fraction",
    )
    rows = {"train": np.flatnonzero(~held_out), "test": np.flatnonzero(held_out)}
    method = f"a fraction of {parameters.test_fraction:g} of each class, seed {parameters.seed}"
    return (
        {split: Split(select(images, own), labels[own]) for split, own in rows.items()},
        f"held out here, since the file has no test split ({method})",
    )


def _check_digit_count(count: int, where: str, max_digits: int) -> None:
    if count > max_digits:
        raise InputError(
            f"{where}: declares {count:,} digits; at most ingestion.max_digits={max_digits:,} "
            f"are read; to read them, add --params ingestion.max_digits={count}."
        )


def _join_images(parts: Sequence[Images], form: PixelForm, in_memory: bool) -> ArrayLike:
    joined = concatenate([part.converted(form) for part in parts])
    return np.asarray(joined) if in_memory else joined
