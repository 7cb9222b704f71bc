"""Files of pictures as grey pixels, whatever their format, depth, colours and orientation."""

import warnings
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

Grey = NDArray[np.uint8]  # (height, width), 0 black, 255 white

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")
_MAX_PIXELS = 50_000_000  # as large as the cameras of telephones make them
_WORKING_SIDE = 512  # pixels; what is larger is reduced by a whole number
_SIXTEEN_BITS = 65535 // 255
_NOT_REDUCED = {"1": "L", "P": "RGB", "PA": "RGBA"}  # by Pillow, for they cannot be averaged

# Pillow warns of pictures that it finds too large; here they are refused.
warnings.simplefilter("error", Image.DecompressionBombWarning)


class PictureError(Exception):
    """A picture that cannot be used; the message says why in a few words."""


def decode_picture(data: bytes, max_pixels: int = _MAX_PIXELS) -> Grey:
    """Read a picture.

    EXIF rotation is undone; what is transparent becomes paper, white behind dark ink and black
    behind light ink; pictures of more than 512 pixels are reduced. Eight-bit grey stays as it is.

    Args:
        data: a file's bytes, PNG, JPEG, BMP, TIFF or WebP.
        max_pixels: what has more is refused before it is decoded.

    Returns:
        ``(height, width)`` uint8, 0 black and 255 white.

    Raises:
        PictureError: when it is empty, no such picture, damaged, or has too many pixels.
    """
    if not data:
        raise PictureError("empty file")
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as picture:
            _refuse_too_large(picture.size, max_pixels)
            picture.draft("L", (_WORKING_SIDE, _WORKING_SIDE))  # a JPEG is decoded smaller
            ImageOps.exif_transpose(picture, in_place=True)
            return np.asarray(_grey(_reduce(picture)))
    except PictureError:
        raise
    except UnidentifiedImageError as error:
        raise PictureError("not a picture (PNG, JPEG, BMP, TIFF or WebP)") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureError(f"too large: expected at most {max_pixels:,} pixels") from error
    except MemoryError as error:
        raise PictureError("too large for this machine's memory") from error
    except Exception as error:
        raise PictureError("damaged picture") from error


def _refuse_too_large(size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise PictureError(
            f"too large: expected at most {max_pixels:,} pixels, found {width} × {height}"
        )


def _grey(picture: Image.Image) -> Image.Image:
    mode = picture.mode
    if mode == "L" and "transparency" not in picture.info:
        return picture
    if mode in {"I", "F"} or mode.startswith("I;16"):
        return Image.fromarray(_eight_bits(np.asarray(picture)))
    if mode in {"LA", "PA", "La", "RGBA", "RGBa"} or "transparency" in picture.info:
        return Image.fromarray(_on_paper(picture.convert("RGBA").convert("LA")))
    return picture.convert("L")


def _eight_bits(values: NDArray[Any]) -> Grey:
    """Sixteen bits by division; other numbers from their smallest to their largest."""
    numbers = values.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise PictureError("pixels are not finite")
    if np.issubdtype(values.dtype, np.integer) and 0 <= numbers.min() <= numbers.max() <= 65535:
        return np.rint(numbers / _SIXTEEN_BITS).astype(np.uint8)
    low, high = numbers.min(), numbers.max()
    return np.rint(255 * (numbers - low) / max(high - low, 1e-12)).astype(np.uint8)


def _on_paper(picture: Image.Image) -> Grey:
    grey, opacity = np.moveaxis(np.asarray(picture, np.float64), -1, 0)
    ink = np.average(grey, weights=opacity) if opacity.any() else 0
    paper = 0 if ink > 127 else 255
    return np.rint(paper + (grey - paper) * opacity / 255).astype(np.uint8)


def _reduce(picture: Image.Image) -> Image.Image:
    """Before all else: what is made of a picture takes some times its memory."""
    factor = max(picture.size) // _WORKING_SIDE
    if factor < 2:
        return picture
    if "transparency" in picture.info:
        picture = picture.convert("RGBA")
    elif picture.mode in _NOT_REDUCED:
        picture = picture.convert(_NOT_REDUCED[picture.mode])
    elif picture.mode.startswith("I;16"):
        picture = picture.convert("I")
    return picture.reduce(factor)
