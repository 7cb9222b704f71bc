"""Show a picture in small, with the ink that is found in it."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnist_kedro.pictures.decode import GrayPicture
from mnist_kedro.pictures.ink import find_ink

THUMBNAIL_SIDE = 84  # pixels; three times that of a digit
Thumbnail = NDArray[np.uint8]  # (84, 84, 3) RGB

_INK_COLOR = (213, 94, 0)  # vermilion, which color-blind readers tell from gray
_OPACITY = 0.8


def no_thumbnail() -> Thumbnail:
    """Return a white thumbnail, for a file that is no picture."""
    return np.full((THUMBNAIL_SIDE, THUMBNAIL_SIDE, 3), 255, np.uint8)


def make_thumbnail(picture: GrayPicture) -> Thumbnail:
    """Fit a picture into a square, and color the ink that is found in it."""
    scale = THUMBNAIL_SIDE / max(picture.shape)
    width, height = (max(1, round(scale * side)) for side in picture.shape[::-1])
    small = Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS)
    ink = Image.fromarray(find_ink(picture).ink).resize((width, height))
    opacity = _OPACITY * np.clip(np.asarray(ink), 0, 1)[..., np.newaxis]
    gray = np.asarray(small, np.float32)[..., np.newaxis]
    thumbnail = no_thumbnail()
    top, left = (THUMBNAIL_SIDE - height) // 2, (THUMBNAIL_SIDE - width) // 2
    thumbnail[top : top + height, left : left + width] = np.rint(
        gray * (1 - opacity) + np.array(_INK_COLOR) * opacity
    )
    return thumbnail
