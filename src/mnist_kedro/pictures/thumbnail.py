"""Show a picture in small, with the ink that is found in it."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnist_kedro.pictures.decode import GrayPicture
from mnist_kedro.pictures.ink import find_ink
from mnist_kedro.pictures.strokes import Ink

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
    ink = Image.fromarray(color_ink(find_ink(picture).ink)).resize((width, height))
    shown = Image.alpha_composite(small.convert("RGBA"), ink)
    thumbnail = no_thumbnail()
    top, left = (THUMBNAIL_SIDE - height) // 2, (THUMBNAIL_SIDE - width) // 2
    thumbnail[top : top + height, left : left + width] = np.asarray(shown.convert("RGB"))
    return thumbnail


def color_ink(ink: Ink) -> NDArray[np.uint8]:
    """Return a colored picture ``(height, width, 4)`` RGBA that is transparent where no ink is."""
    colored = np.empty((*ink.shape, 4), np.uint8)
    colored[..., :3] = _INK_COLOR
    colored[..., 3] = np.rint(255 * _OPACITY * ink)
    return colored
