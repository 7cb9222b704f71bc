"""Find ink with a small network that was trained on simulated photos."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnist_kedro.pictures.decode import GrayPicture
from mnist_kedro.pictures.onnx_files import open_onnx
from mnist_kedro.pictures.strokes import Ink

MULTIPLE = 8  # The sides of the network's pictures are multiples of this.
_FILE = Path(__file__).with_name("ink_finder.onnx")
_MIN_LEVEL = 2
_MIN_DEVIATION = 0.02


def find_ink_by_network(picture: GrayPicture) -> Ink:
    """Find ink, given a picture of 60 pixels or more.

    Args:
        picture: ``(height, width)`` uint8, dark or light ink.

    Returns:
        ``(height, width)`` float32, the probability that half of a pixel or more is ink.
    """
    height, width = picture.shape
    levels = pad(normalize(picture), -height % MULTIPLE, -width % MULTIPLE)
    (ink,) = open_onnx(_FILE).run(None, {"levels": levels[np.newaxis, np.newaxis]})
    return ink[0, 0, :height, :width]


def normalize(picture: GrayPicture) -> NDArray[np.float32]:
    """Return the logarithm of the levels, relative to their median and standard deviation.

    In logarithms, a shadow darkens paper and ink alike.
    """
    logarithms = np.log(np.maximum(picture, _MIN_LEVEL, dtype=np.float32))
    deviation = max(logarithms.std(), _MIN_DEVIATION)
    return (logarithms - np.median(logarithms)) / deviation


def pad(levels: NDArray[np.float32], below: int, beside: int) -> NDArray[np.float32]:
    """Pad levels at the bottom and on the right with their mirror image."""
    return np.pad(levels, ((0, below), (0, beside)), mode="symmetric")
