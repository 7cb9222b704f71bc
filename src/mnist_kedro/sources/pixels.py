"""Recognize how pixels are scaled, and convert them to uint8 (0: background, 255: full ink)."""

from dataclasses import dataclass

import numpy as np

from mnist_kedro.contracts import Pixels

_TOLERANCE = 1e-6  # rounding error of bytes divided in float32
# Nearly all digits contain background and full ink; unscaled gray images often do not.
_FULL = 0.9  # least share of images whose contrast is at least this share of the range
_MOST = 0.5  # least share of images that reach an end of the range
_END = 0.03  # share of the range that counts as its end

_NEARLY_FULL = 240  # maximum from which pixels 0–255 are certain


@dataclass(frozen=True)
class PixelForm:
    """How pixels are stored: byte = value · factor + offset."""

    range: str
    factor: float
    offset: float

    def __str__(self) -> str:
        return f"pixels {self.range}"


_BYTES = PixelForm("0–255", 1.0, 0.0)
_UNIT = PixelForm("0–1", 255.0, 0.0)
_SIGNED = PixelForm("−1…1", 127.5, 127.5)


def form_of_range(lows: np.ndarray, highs: np.ndarray, *, integers: bool) -> PixelForm | None:
    """Recognize how bytes were scaled from the range of many images; None if it is unknown.

    Args:
        lows: the lowest pixel of each image, ``(n,)``.
        highs: the highest pixel of each image, ``(n,)``.
        integers: whether the pixels have an integer type.
    """
    low, high = float(lows.min()), float(highs.max())
    exact = (
        (_BYTES, low == 0 and _NEARLY_FULL <= high <= 255),
        # The form of deeplearning.net's mnist.pkl and its copies.
        (PixelForm("0–255/256", 256.0, 0.0), low == 0 and abs(high - 255 / 256) < _TOLERANCE),
        (_UNIT, low == 0 and 1 - _END < high <= 1 + _TOLERANCE),
        (_SIGNED, -1 - _TOLERANCE <= low < _END - 1 and 1 - _END < high <= 1 + _TOLERANCE),
    )
    loose = (
        (_BYTES, low >= 0 and 1 + _TOLERANCE < high <= 255 and (integers or high >= 128)),
        (_UNIT, low >= 0 and 0.75 < high <= 1 + _TOLERANCE),
        (_SIGNED, -1 - _TOLERANCE <= low < -0.75 and 0.75 < high <= 1 + _TOLERANCE),
    )
    scaled = ((form_between(low, high), True),) if _is_filled(lows, highs) else ()
    return next((form for form, fits in (*exact, *scaled, *loose) if fits), None)


def _is_filled(lows: np.ndarray, highs: np.ndarray) -> bool:
    """Return whether most images fill the range, so that it does not depend on a few pixels."""
    low, high = lows.min(), highs.max()
    end = _END * (high - low)
    return bool(
        high > low
        and (lows <= low + end).mean() >= _MOST
        and (highs >= high - end).mean() >= _MOST
        and (highs - lows >= _FULL * (high - low)).mean() >= _FULL
    )


def form_between(low: float, high: float) -> PixelForm:
    """Return the form in which ``low`` stands for byte 0 and ``high`` for byte 255."""
    factor = 255 / (high - low)
    return PixelForm(f"{low:.4g}–{high:.4g}", factor, -low * factor)


def convert(block: np.ndarray, form: PixelForm, target: Pixels) -> None:
    """Convert some images to bytes, rounded to the nearest, and write them to ``target``."""
    if form.factor == 1 and form.offset == 0 and block.dtype.kind in "bui":
        target[...] = block
    else:
        floats = block.astype(np.promote_types(block.dtype, np.float32))
        np.rint(floats * form.factor + form.offset, out=floats)
        target[...] = np.clip(floats, 0, 255)  # values exceed the range by at most the tolerance
