"""Files of pictures as grey pixels, whatever their format, depth, colours and orientation."""

import threading
import warnings
from contextlib import nullcontext
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

Grey = NDArray[np.uint8]  # (height, width), 0 black, 255 white

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")
_MAX_PIXELS = 50_000_000  # the cameras of telephones take pictures of this size
_PICTURE = 10_000  # pixels; preparing a picture takes as long as so many more of them
_MAX_SCANS = 20  # of a progressive JPEG; encoders write about ten, and each costs a pass
_WORKING_SIDE = 512  # pixels; what is larger is reduced by a whole number
_SIXTEEN_BITS = 65535 // 255
# Pillow decodes WebP in part without releasing the GIL, so other threads wait for one at a time.
_WEBP_LOCK = threading.Lock()
_NOT_REDUCED = {"1": "L", "P": "RGB", "PA": "RGBA"}  # by Pillow, for they cannot be averaged

# Pillow warns of pictures that it finds too large; here they are refused.
warnings.simplefilter("error", Image.DecompressionBombWarning)


class PictureError(Exception):
    """A picture that cannot be used; the message says why in a few words."""


class PixelBudget:
    """The number of pixels that may still be decoded, shared by all pictures of a request."""

    def __init__(self, decoded: int = _MAX_PIXELS) -> None:
        """Start a budget.

        Args:
            decoded: pixels in memory, at least 1, and 10,000 more for each picture but the first.
                A JPEG that is decoded at a reduced size counts with that size, but the sizes in
                the files add up to 50 million pixels at most.
        """
        self.total = self._left = decoded
        self._left_in_files = _MAX_PIXELS

    def spend(self, in_file: tuple[int, int], decoded: tuple[int, int]) -> None:
        """Subtract a picture, by its size in the file and its size as it will be decoded.

        Raises:
            PictureError: if the budget is too small; it stays as it is.
        """
        left = _subtract(decoded, self._left, self.total)
        self._left_in_files = _subtract(in_file, self._left_in_files, _MAX_PIXELS)
        self._left = max(0, left - _PICTURE)


def _subtract(size: tuple[int, int], left: int, total: int) -> int:
    width, height = size
    if width * height > left:
        limit = f"{total:,} pixels"
        if left < total:
            limit += f" in one request, of which {left:,} are left"
        raise PictureError(f"too large: expected at most {limit}, found {width} × {height}")
    return left - width * height


def decode_picture(data: bytes, budget: PixelBudget | None = None) -> Grey:
    """Decode a picture to grey levels.

    EXIF rotation is undone; what is transparent becomes paper, white behind dark ink and black
    behind light ink; pictures of more than 512 pixels are reduced. Eight-bit grey stays as it is.

    Args:
        data: a file's bytes, PNG, JPEG, BMP, TIFF or WebP.
        budget: pixels that may be decoded; by default 50 million.

    Returns:
        ``(height, width)`` uint8, 0 black and 255 white.

    Raises:
        PictureError: when it is empty, no such picture, damaged, or has too many pixels.
    """
    if not data:
        raise PictureError("empty file")
    budget = budget or PixelBudget()
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as picture:
            size = picture.size
            picture.draft("L", (_WORKING_SIDE, _WORKING_SIDE))  # a JPEG is decoded smaller
            budget.spend(size, picture.size)
            _refuse_many_scans(picture, data)
            with _WEBP_LOCK if picture.format == "WEBP" else nullcontext():
                picture.load()
            ImageOps.exif_transpose(picture, in_place=True)
            return np.asarray(_grey(_reduce(picture)))
    except PictureError:
        raise
    except UnidentifiedImageError as error:
        raise PictureError("not a picture (PNG, JPEG, BMP, TIFF or WebP)") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureError(f"too large: expected at most {budget.total:,} pixels") from error
    except MemoryError as error:
        raise PictureError("too large for this machine's memory") from error
    except Exception as error:
        raise PictureError("damaged picture") from error


def _refuse_many_scans(picture: Image.Image, data: bytes) -> None:
    """Refuse a JPEG of many scans: a few bytes each, and each is a pass over all pixels."""
    scans = data.count(b"\xff\xda") if picture.format in {"JPEG", "MPO"} else 0
    if scans > _MAX_SCANS:
        raise PictureError(f"a JPEG of {scans} scans: expected at most {_MAX_SCANS}")


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
