"""Convert colors to gray levels in which ink can be told from paper."""

import numpy as np
from PIL import Image
from scipy import ndimage

_SIDE = 64  # pixels; enough to compare the channels
_COLORED = 30  # levels between two channels of a picture that is not gray
_MUCH = 1.5  # A channel is used that has so much more contrast than the brightness.


def choose_gray(picture: Image.Image) -> Image.Image:
    """Convert a picture to its brightness, or to the color channel that shows the ink better.

    Yellow ink on white paper is as bright as the paper, but dark in the blue channel.

    Args:
        picture: with mode RGB.

    Returns:
        A picture with mode L.
    """
    gray = picture.convert("L")
    small = picture.copy()
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    channels = np.asarray(small, np.float32)
    if np.ptp(channels, axis=2).max() < _COLORED:
        return gray
    contrasts = [_contrast(channels[..., i]) for i in range(3)]
    best = int(np.argmax(contrasts))
    if contrasts[best] > _MUCH * _contrast(np.asarray(small.convert("L"), np.float32)):
        return picture.getchannel(best)
    return gray


def _contrast(levels: np.ndarray) -> float:
    """Return the mean difference of the clearest pixels to the levels around them."""
    differences = np.abs(levels - ndimage.gaussian_filter(levels, max(levels.shape) / 8)).ravel()
    clearest = max(8, differences.size // 100)
    return float(np.sort(differences)[-clearest:].mean())
