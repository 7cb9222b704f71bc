"""Pictures by the batch: where they come from does not matter to who reads them."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from mnist_kedro.contracts import IMAGE_SIDE, Pixels

READ, BLANK = "ok", "blank: nothing is written"
BATCH = 1000  # pictures in memory at once, twice: one batch is classified, one prepared


class Batch(NamedTuple):
    """Some pictures in their order."""

    files: Sequence[str]
    pixels: Pixels  # (n, 28, 28, 1); 0 where there is no digit
    status: Sequence[str]  # READ, BLANK, or what is wrong with the file
    labels: Sequence[int | None]  # as the file or the folder's name has them


NOTHING = Batch([], np.empty((0, IMAGE_SIDE, IMAGE_SIDE, 1), np.uint8), [], [])


class Pictures(NamedTuple):
    """How many pictures there are, and a way to read some of them."""

    total: int
    labelled: bool  # whether any has a label
    take: Callable[[Sequence[int]], Iterator[Batch]]  # those of some rows, ascending from 0
