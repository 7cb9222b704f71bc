"""Check that data conforms to the types of ``contracts.py``.

The catalog runs :class:`MnistContract`, :class:`LabeledImagesContract` and :class:`ModelContract`
when it saves data, and when it loads data that the run has not saved (``validator:`` in
``conf/base/catalog_*.yml``), so that nodes receive only data that conforms to these types.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mnist_kedro.contracts import CLASSES, IMAGE_SIDE
from mnist_kedro.errors import InputError

_HINT = "(docs/data.md shows how to write such a file)"


def check_mnist(mnist: Mapping[str, Any], where: str) -> None:
    """Reject arrays that do not conform to :class:`Mnist`.

    Args:
        mnist: arrays under the keys of :class:`Mnist`.
        where: name of the data in error messages, such as a file's path.

    Raises:
        InputError: if an array is missing or invalid; the message names the key, what was expected
            and what was found.
    """
    for split in ("train", "test"):
        images, labels = f"x_{split}", f"y_{split}"
        _check_keys(mnist, (images, labels), where)
        _check_images(mnist[images], (IMAGE_SIDE, IMAGE_SIDE), f"{where}: '{images}'")
        _check_labels(mnist[labels], f"{where}: '{labels}'")
        _check_counts(mnist[images], mnist[labels], f"{where}: '{images}' and '{labels}'")


def check_classes(arrays: Mapping[str, Any], where: str) -> None:
    """Raise InputError if one of the ten classes is missing in the labels of a split."""
    for key in sorted(key for key in arrays if key.startswith("y_")):
        absent = sorted(set(range(CLASSES)) - set(np.unique(arrays[key]).tolist()))
        if absent:
            raise InputError(
                f"{where}: '{key}' should contain all digits 0–9, but does not contain "
                f"{', '.join(map(str, absent))}; to ingest it anyway, add --params "
                "ingestion.allow_missing_classes=true."
            )


def check_labeled_images(split: Mapping[str, Any], where: str) -> None:
    """Raise InputError if a split does not conform to :class:`LabeledImages`."""
    _check_keys(split, ("images", "labels"), where)
    _check_images(split["images"], (IMAGE_SIDE, IMAGE_SIDE, 1), f"{where}: 'images'")
    _check_labels(split["labels"], f"{where}: 'labels'")
    _check_counts(split["images"], split["labels"], f"{where}: 'images' and 'labels'")


class MnistContract:
    """Validate ``mnist`` in the catalog."""

    def validate(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the data; raise InputError if it does not conform."""
        check_mnist(data, "mnist")
        return data


class LabeledImagesContract:
    """Validate ``train``, ``validation`` and ``test`` in the catalog."""

    def __init__(self, split: str) -> None:
        self._split = split

    def validate(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the data; raise InputError if it does not conform."""
        check_labeled_images(data, self._split)
        return data


class ModelContract:
    """Validate ``<network>.model`` in the catalog: input raw pixels, output ten probabilities."""

    def validate(self, data: Any) -> Any:
        """Return the Keras model; raise InputError if its input or output shape is wrong."""
        shapes = data.input_shape, data.output_shape
        expected = (None, IMAGE_SIDE, IMAGE_SIDE, 1), (None, CLASSES)
        if shapes != expected:
            raise InputError(
                f"model '{data.name}': expected input shape {expected[0]} and output shape "
                f"{expected[1]}, found {shapes[0]} and {shapes[1]}; train it again, or choose "
                "another version with --load-versions."
            )
        return data


def _check_keys(arrays: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    for key in keys:
        if key not in arrays:
            raise InputError(f"{where}: key '{key}' is missing; found {sorted(arrays)} {_HINT}.")


def _check_images(images: Any, shape: tuple[int, ...], where: str) -> None:
    expected = "(n, " + ", ".join(map(str, shape)) + ") uint8 with n ≥ 1"
    if images.dtype != np.uint8 or tuple(images.shape[1:]) != shape or len(images) == 0:
        raise InputError(
            f"{where} should be images of shape {expected}, "
            f"but is {tuple(images.shape)} {images.dtype} {_HINT}."
        )


def _check_labels(labels: Any, where: str) -> None:
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise InputError(
            f"{where} should be labels of shape (n,) and an integer type, "
            f"but is {tuple(labels.shape)} {labels.dtype} {_HINT}."
        )
    values = np.asarray(labels)
    wrong = np.flatnonzero((values < 0) | (values >= CLASSES))
    if wrong.size:
        first = int(wrong[0])
        raise InputError(
            f"{where} should be labels in 0–9, but label {first} is {values[first]} "
            f"({wrong.size} of {len(values)} are outside)."
        )


def _check_counts(images: Any, labels: Any, where: str) -> None:
    if len(images) != len(labels):
        raise InputError(
            f"{where} should have the same length, but there are "
            f"{len(images)} images and {len(labels)} labels."
        )
