"""Define the data types that the pipelines exchange; ``validators.py`` checks them."""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict, cast

import numpy as np
from numpy.typing import NDArray

from mnist_kedro.arrays import Rows

IMAGE_SIDE = 28  # pixels
CLASSES = 10  # the digits 0 to 9
LEAKED = "test digits are also training digits"  # a text in ``warnings``, after a number
GIVEN = "given"  # the value of ``test_split`` if the source has a test split

Pixels = NDArray[np.uint8]
Labels = NDArray[np.uint8]
ManyPixels = Pixels | Rows  # the pixels of a whole split, which may not fit in memory


class Provenance(TypedDict):
    """The origin of digits and the conversions applied to them; saved along with the digits."""

    source: str  # the path, URL or name in ingestion.source
    layout: str  # recognized layout of the file
    conversions: str  # conversions from the file to the arrays of Mnist, or "none"
    test_split: str  # GIVEN, or a description of how the test split was held out
    warnings: str  # possible problems of the digits, or "none"
    canonical_mnist: bool  # whether all 60,000 + 10,000 digits equal those of MNIST
    sha256_x_train: str  # SHA-256 of each array of Mnist, as ingested
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


class LabeledImages(Provenance):
    """One split of the data, in the form that the networks expect.

    Images are ``(n, 28, 28, 1)`` uint8 in 0–255, labels ``(n,)`` uint8 in 0–9.
    """

    images: ManyPixels
    labels: Labels
    split: NotRequired[str]  # digest of the division into training and validation digits


class PixelStatistics(TypedDict):
    """Mean and standard deviation of the training pixels, in pixel units (0–255)."""

    mean: float
    standard_deviation: float
    lineage: NotRequired[Mapping[str, str]]  # lineage of the training digits


def provenance(digits: Mapping[str, Any]) -> Provenance:
    """Return only the provenance of an ingested dataset or of one of its splits."""
    known = {"warnings": "none", **digits}  # earlier releases saved no warnings
    return cast("Provenance", {key: known[key] for key in Provenance.__annotations__})
