"""Define batches of pictures, whether they come from a folder or an array file."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from mnist_kedro.contracts import IMAGE_SIDE, Pixels
from mnist_kedro.pictures.groups import Box
from mnist_kedro.pictures.thumbnail import Thumbnail

READ, BLANK = "ok", "blank: nothing is written"
BATCH = 1000  # pictures; one batch is classified while the next is prepared


class Batch(NamedTuple):
    """Digits of pictures in order, with file names, status and labels."""

    files: Sequence[str]
    pixels: Pixels  # (n, 28, 28, 1); all 0 for a picture without a digit
    status: Sequence[str]  # READ, BLANK, or the reason why the file is rejected
    labels: Sequence[int | None]  # from the array file or the name of the folder
    several: Sequence[bool]  # whether the picture shows other digits, too
    in_mnist_form: Sequence[bool]  # whether the picture had MNIST's form already
    boxes: Sequence[Box | None]  # places in the picture, if all of its digits are read


NOTHING = Batch([], np.empty((0, IMAGE_SIDE, IMAGE_SIDE, 1), np.uint8), [], [], [], [], [])


class Pictures(NamedTuple):
    """The number of pictures, and functions that yield some of them in batches, or in small."""

    total: int
    labeled: bool  # whether any picture has a label
    take: Callable[[Sequence[int]], Iterator[Batch]]  # of row numbers, ascending from 0
    show: Callable[[int], Thumbnail]  # of a row number
