"""The two forms in which digits travel through the pipelines, and the checks that hold them to it.

The catalog runs :class:`MnistContract`, :class:`LabelledImagesContract` and :class:`ModelContract`
on load and save (``validator:`` in ``conf/base/catalog_*.yml``), so that no node sees an array or a
model of another form.
"""

from collections.abc import Mapping
from typing import Any, TypedDict, cast

import numpy as np
from numpy.typing import NDArray

from mnist_kedro.arrays import Rows
from mnist_kedro.errors import InputError

IMAGE_SIDE = 28  # pixels
CLASSES = 10  # the digits 0 to 9
GIVEN = "given"  # of a test split: it came with the digits

_HELP = "(docs/data.md shows how to write such a file)"

Pixels = NDArray[np.uint8]
Labels = NDArray[np.uint8]
ManyPixels = Pixels | Rows  # all those of a split, which may be too many for memory


class Provenance(TypedDict):
    """Where digits come from and what was done to them; it goes with them to the report."""

    source: str  # as in ingestion.source
    layout: str  # what was recognised in the file
    conversions: str  # from what was found there to the form below; "none"
    test_split: str  # GIVEN, or how it was made
    canonical_mnist: bool  # byte for byte the MNIST of 60,000 + 10,000 digits
    sha256_x_train: str  # of the bytes of each array of Mnist, as ingested
    sha256_y_train: str
    sha256_x_test: str
    sha256_y_test: str


class Mnist(Provenance):
    """MNIST as it is stored in ``mnist.hdf5``.

    Images are ``(n, 28, 28)`` uint8 in 0–255 (0 the background), labels ``(n,)`` uint8 in 0–9.
    """

    x_train: ManyPixels
    y_train: Labels
    x_test: ManyPixels
    y_test: Labels


class LabelledImages(Provenance):
    """One split of the data, as the networks take it.

    Images are ``(n, 28, 28, 1)`` uint8 in 0–255, labels ``(n,)`` uint8 in 0–9.
    """

    images: ManyPixels
    labels: Labels


class PixelStatistics(TypedDict):
    """Mean and standard deviation of the training pixels, in pixel units (0–255)."""

    mean: float
    standard_deviation: float


def provenance(digits: Mapping[str, Any]) -> Provenance:
    """The provenance alone of MNIST or of one of its splits."""
    return cast("Provenance", {key: digits[key] for key in Provenance.__annotations__})


def check_mnist(mnist: Mapping[str, Any], where: str) -> None:
    """Hold the four arrays of MNIST to their form.

    Args:
        mnist: arrays under the keys of :class:`Mnist`.
        where: what to call the data in a message, a file's path for instance.

    Raises:
        InputError: naming the key, what was expected and what was found.
    """
    for split in ("train", "test"):
        images, labels = f"x_{split}", f"y_{split}"
        _check_keys(mnist, (images, labels), where)
        _check_images(mnist[images], (IMAGE_SIDE, IMAGE_SIDE), f"{where}: '{images}'")
        _check_labels(mnist[labels], f"{where}: '{labels}'")
        _check_classes(mnist[labels], f"{where}: '{labels}'")
        _check_counts(mnist[images], mnist[labels], f"{where}: '{images}' and '{labels}'")


def check_labelled_images(split: Mapping[str, Any], where: str) -> None:
    """Hold one split to the form of :class:`LabelledImages`; raises as :func:`check_mnist`."""
    _check_keys(split, ("images", "labels"), where)
    _check_images(split["images"], (IMAGE_SIDE, IMAGE_SIDE, 1), f"{where}: 'images'")
    _check_labels(split["labels"], f"{where}: 'labels'")
    _check_counts(split["images"], split["labels"], f"{where}: 'images' and 'labels'")


class MnistContract:
    """Catalog validator for ``mnist``."""

    def validate(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the data, or raise :class:`InputError`."""
        check_mnist(data, "mnist")
        return data


class LabelledImagesContract:
    """Catalog validator for ``train``, ``validation`` and ``test``."""

    def __init__(self, split: str) -> None:
        self._split = split

    def validate(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the data, or raise :class:`InputError`."""
        check_labelled_images(data, self._split)
        return data


class ModelContract:
    """Catalog validator for ``<network>.model``: raw pixels in, ten probabilities out."""

    def validate(self, data: Any) -> Any:
        """Return the Keras model, or raise :class:`InputError`."""
        shapes = data.input_shape, data.output_shape
        expected = (None, IMAGE_SIDE, IMAGE_SIDE, 1), (None, CLASSES)
        if shapes != expected:
            raise InputError(
                f"model '{data.name}' should take {expected[0]} and give {expected[1]}, but takes "
                f"{shapes[0]} and gives {shapes[1]}; train one, or name another version with "
                "--load-versions."
            )
        return data


def _check_keys(arrays: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    for key in keys:
        if key not in arrays:
            raise InputError(f"{where}: key '{key}' is missing; found {sorted(arrays)} {_HELP}.")


def _check_images(images: Any, shape: tuple[int, ...], where: str) -> None:
    expected = "(n, " + ", ".join(map(str, shape)) + ") uint8 with n ≥ 1"
    if images.dtype != np.uint8 or tuple(images.shape[1:]) != shape or len(images) == 0:
        raise InputError(
            f"{where} should be images of shape {expected}, "
            f"but is {tuple(images.shape)} {images.dtype} {_HELP}."
        )


def _check_labels(labels: Any, where: str) -> None:
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise InputError(
            f"{where} should be labels of shape (n,) and an integer type, "
            f"but is {tuple(labels.shape)} {labels.dtype} {_HELP}."
        )
    values = np.asarray(labels)
    wrong = np.flatnonzero((values < 0) | (values >= CLASSES))
    if wrong.size:
        first = int(wrong[0])
        raise InputError(
            f"{where} should be labels in 0–9, but label {first} is {values[first]} "
            f"({wrong.size} of {len(values)} are outside)."
        )


def _check_classes(labels: Any, where: str) -> None:
    absent = sorted(set(range(CLASSES)) - set(np.unique(labels).tolist()))
    if absent:
        raise InputError(
            f"{where} should have each of the digits 0–9, but lacks {', '.join(map(str, absent))}."
        )


def _check_counts(images: Any, labels: Any, where: str) -> None:
    if len(images) != len(labels):
        raise InputError(
            f"{where} should be equally long, but there are "
            f"{len(images)} images and {len(labels)} labels."
        )
