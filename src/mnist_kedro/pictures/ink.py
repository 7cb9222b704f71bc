"""Find the ink of a picture."""

from typing import NamedTuple

import numpy as np
from PIL import Image

from mnist_kedro.pictures.contrast import find_ink_by_contrast, find_written_ink
from mnist_kedro.pictures.decode import GrayPicture
from mnist_kedro.pictures.finder import find_ink_by_network
from mnist_kedro.pictures.strokes import Ink

WORKING_SIDE = 128  # pixels, as in the training of the network
SMALL_SIDE = 60  # pixels; smaller pictures show only a digit, and the network saw none as small
_TINY = 28  # pixels; smaller pictures are enlarged, so that strokes are narrow among paper
_MIN_SIDE = 5  # pixels


class FoundInk(NamedTuple):
    """The ink of a picture, which may be reduced or enlarged."""

    ink: Ink
    scale: float  # of the picture


def find_ink(picture: GrayPicture, side: int = WORKING_SIDE) -> FoundInk:
    """Find the ink of a picture.

    Ink stands out from the paper around it; a network tells it from lines, frames and shadows.

    Args:
        picture: ``(height, width)`` uint8, dark or light ink.
        side: pixels; a picture whose longer side is larger is reduced first.
    """
    longer = max(picture.shape)
    if min(picture.shape) < _MIN_SIDE:
        return FoundInk(np.zeros(picture.shape, np.float32), 1)
    scale = _TINY / longer if longer < _TINY else min(1, side / longer)
    scale = max(scale, _MIN_SIDE / min(picture.shape))
    if scale != 1:
        size = [max(1, round(scale * length)) for length in picture.shape[::-1]]
        method = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
        picture = np.asarray(Image.fromarray(picture).resize(size, method))
    ink = find_written_ink(picture, find_ink_by_network(picture)) if longer >= SMALL_SIDE else None
    return FoundInk(find_ink_by_contrast(picture) if ink is None else ink, scale)
