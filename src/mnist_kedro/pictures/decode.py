"""Decode image files to gray levels, whatever their format, depth, colors and orientation."""

import threading
import warnings
from contextlib import nullcontext
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from mnist_kedro.pictures.color import choose_gray

GrayPicture = NDArray[np.uint8]  # (height, width), 0 black, 255 white

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF")
_MAX_PIXELS = 50_000_000  # Phone cameras take pictures of this size.
_OVERHEAD_PIXELS = 10_000  # Preparing a picture takes as long as decoding this many pixels.
_MAX_SCANS = 20  # Encoders write about ten scans per progressive JPEG, and each costs a pass.
_WORKING_SIDE = 512  # pixels; the smallest longer side of a reduced picture
_BITS = (8, 10, 12, 14, 16)  # that cameras and scanners use of 16
# Pillow decodes parts of WebP without releasing the GIL, so only one thread decodes WebP at a time.
_WEBP_LOCK = threading.Lock()
_REDUCIBLE_MODES = {"1": "L", "P": "RGB", "PA": "RGBA"}  # Pillow cannot average bits and palettes.

# Pillow only warns about very large pictures; they must be rejected.
warnings.simplefilter("error", Image.DecompressionBombWarning)


class PictureError(Exception):
    """A picture that cannot be used; the message gives the reason in a few words."""


class PixelBudget:
    """The number of pixels that may still be decoded, shared by all pictures of a request."""

    def __init__(self, decoded: int = _MAX_PIXELS) -> None:
        """Start a budget.

        Args:
            decoded: maximum number of decoded pixels, at least 1; each picture but the first costs
                10,000 more. A JPEG that is decoded at a reduced size counts with that size, but
                the sizes in the files may add up to 50 million pixels at most.
        """
        self.total = self._left = decoded
        self._left_in_files = _MAX_PIXELS

    def spend(self, in_file: tuple[int, int], decoded: tuple[int, int]) -> None:
        """Subtract a picture, given its size in the file and its size after decoding.

        Raises:
            PictureError: if the budget is too small; the budget then does not change.
        """
        left = _subtract(decoded, self._left, self.total)
        self._left_in_files = _subtract(in_file, self._left_in_files, _MAX_PIXELS)
        self._left = max(0, left - _OVERHEAD_PIXELS)


def _subtract(size: tuple[int, int], left: int, total: int) -> int:
    width, height = size
    if width * height > left:
        limit = f"{total:,} pixels"
        if left < total:
            limit += f" in one request, of which {left:,} are left"
        raise PictureError(f"too large: expected at most {limit}, found {width} × {height}")
    return left - width * height


def decode_picture(data: bytes, budget: PixelBudget | None = None) -> GrayPicture:
    """Decode a picture to gray levels.

    EXIF rotation is applied. Transparent pixels become paper: white behind dark ink, black behind
    light ink. A longer side of 1,024 pixels or more is reduced by an integer factor, to 512–768
    pixels. Eight-bit gray levels do not change.

    Args:
        data: bytes of a PNG, JPEG, BMP, TIFF, WebP or GIF file; the first picture is used.
        budget: pixels that may be decoded; by default 50 million.

    Returns:
        ``(height, width)`` uint8, 0 black and 255 white.

    Raises:
        PictureError: if the file is empty, corrupt or of another format, or has too many pixels.
    """
    if not data:
        raise PictureError("empty file")
    budget = budget or PixelBudget()
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as picture:
            size = picture.size
            picture.draft("RGB", (_WORKING_SIDE, _WORKING_SIDE))  # A reduced JPEG is faster.
            budget.spend(size, picture.size)
            _reject_many_scans(picture, data)
            with _WEBP_LOCK if picture.format == "WEBP" else nullcontext():
                picture.load()
            ImageOps.exif_transpose(picture, in_place=True)
            return np.asarray(_to_gray(_reduce(picture)))
    except PictureError:
        raise
    except UnidentifiedImageError as error:
        raise PictureError("not a picture (PNG, JPEG, BMP, TIFF, WebP or GIF)") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureError(f"too large: expected at most {budget.total:,} pixels") from error
    except MemoryError as error:
        raise PictureError("too large for this machine's memory") from error
    except Exception as error:
        raise PictureError("damaged picture") from error


def _reject_many_scans(picture: Image.Image, data: bytes) -> None:
    """Reject a JPEG with many scans: each takes a few bytes, but a pass over all pixels."""
    scans = data.count(b"\xff\xda") if picture.format in {"JPEG", "MPO"} else 0
    if scans > _MAX_SCANS:
        raise PictureError(f"a JPEG of {scans} scans: expected at most {_MAX_SCANS}")


def _to_gray(picture: Image.Image) -> Image.Image:
    mode = picture.mode
    if mode == "L" and "transparency" not in picture.info:
        return picture
    if mode in {"I", "F"} or mode.startswith("I;16"):
        return Image.fromarray(_to_eight_bits(np.asarray(picture)))
    if mode in {"LA", "PA", "La", "RGBA", "RGBa"} or "transparency" in picture.info:
        return Image.fromarray(_blend_with_paper(picture.convert("RGBA").convert("LA")))
    return choose_gray(picture) if mode == "RGB" else picture.convert("L")


def _to_eight_bits(values: NDArray[Any]) -> GrayPicture:
    """Convert integers of up to 16 bits; scale others from their minimum to their maximum.

    A picture of 16 bits that uses fewer, as many cameras do, has levels up to the largest of these.
    """
    numbers = values.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise PictureError("pixels are not finite")
    if np.issubdtype(values.dtype, np.integer) and 0 <= numbers.min() <= numbers.max() <= 65535:
        limit = next(2**bits - 1 for bits in _BITS if numbers.max() < 2**bits)
        return np.rint(numbers * (255 / limit)).astype(np.uint8)
    low, high = numbers.min(), numbers.max()
    return np.rint(255 * (numbers - low) / max(high - low, 1e-12)).astype(np.uint8)


def _blend_with_paper(picture: Image.Image) -> GrayPicture:
    gray, opacity = np.moveaxis(np.asarray(picture, np.float64), -1, 0)
    ink = np.average(gray, weights=opacity) if opacity.any() else 0
    paper = 0 if ink > 127 else 255
    return np.rint(paper + (gray - paper) * opacity / 255).astype(np.uint8)


def _reduce(picture: Image.Image) -> Image.Image:
    """Reduce a large picture first, as the next steps take several times its memory."""
    factor = max(picture.size) // _WORKING_SIDE
    if factor < 2:
        return picture
    if "transparency" in picture.info:
        picture = picture.convert("RGBA")
    elif picture.mode in _REDUCIBLE_MODES:
        picture = picture.convert(_REDUCIBLE_MODES[picture.mode])
    elif picture.mode.startswith("I;16"):
        picture = picture.convert("I")
    return picture.reduce(factor)
