"""Read images in any stored form, and convert them to bytes."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mnist_kedro.arrays import Rows
from mnist_kedro.contracts import IMAGE_SIDE, Pixels
from mnist_kedro.errors import InputError
from mnist_kedro.parameters.digits import Background
from mnist_kedro.sources.contents import StoredArray, describe_array
from mnist_kedro.sources.pixels import PixelForm, convert, form_between, form_of_range
from mnist_kedro.sources.shapes import EXPECTED, ImageShape, describe_shape, image_shape

MAX_IN_MEMORY = 250_000  # images; larger sets are read from the file on every access
_BLOCK = 4096  # images per step, so that memory never holds all images as floats
_UNCHANGED = "uint8 (n, 28, 28) with pixels 0–255"  # the form that needs no conversion
_BORDER = np.ones((IMAGE_SIDE, IMAGE_SIDE), dtype=bool)
_BORDER[1:-1, 1:-1] = False
_CLEAR = 0.25  # share of the range; a border this close to one end is clearly background
_OFF_CENTER = 0.75  # pixels; largest accepted distance of the center
_UNIT_SAMPLE = 200  # images whose lengths are examined


class Images:
    """Some rows of an array of images, before their conversion to bytes.

    Raises:
        InputError: if the array does not hold images of 28 × 28 numbers, or the rows are empty.
    """

    def __init__(self, array: StoredArray, rows: slice, where: str) -> None:
        self._where = f"{where}: '{array.name}'"
        shape = image_shape(array.shape)
        if shape is None or array.dtype.kind not in "buif":
            raise InputError(
                f"{self._where} should be images of shape {EXPECTED} and a numeric type, "
                f"but is {array.shape} {array.dtype}; save images of 28 × 28 pixels."
            )
        self.name = array.name
        self._array, self._shape = array, shape
        start, stop, _ = rows.indices(array.shape[shape.axis])
        self._rows = range(start, max(start, stop))
        if not self._rows:
            raise InputError(
                f"{self._where} should be images, but is empty; remove it, or add images."
            )
        self._stored = f"{array.dtype} {describe_shape(array.shape, shape.axis)}"
        self.inverted: NDArray[np.bool_] = np.zeros(len(self), bool)  # dark ink on light paper

    def __len__(self) -> int:
        return len(self._rows)

    def describe_conversion(self, form: PixelForm) -> str:
        """Describe the stored form of the images; empty if they need no conversion."""
        count = int(self.inverted.sum())
        some = f" {count:,} of {len(self):,} images" if count < len(self) else ""
        stored = f"{self._stored} with {form}{f', inverted{some}' if count else ''}"
        return "" if stored == _UNCHANGED else f"images {stored}"

    def survey(self, *, keep: bool) -> None:
        """Compute the pixel range and the mean border of each image.

        With ``keep``, one-byte pixels are loaded into memory, because the converted pixels need the
        same space. Raises InputError if a pixel is NaN or infinite, or the padding is unequal.
        """
        self._check_padding()
        if keep and self._array.dtype.itemsize == 1:
            pixels = self._read(0, len(self))
            self._array, self._shape = describe_array(self.name, pixels), ImageShape(0, IMAGE_SIDE)
            self._rows = range(len(pixels))
        lows, highs, borders = [], [], []
        for block in self._blocks():
            pixels = block.reshape(len(block), -1)
            lows.append(pixels.min(axis=1))
            highs.append(pixels.max(axis=1))
            borders.append(block[:, _BORDER].sum(axis=1, dtype=np.float32) / _BORDER.sum())
        self.lows = np.concatenate(lows).astype(np.float64)
        self.highs = np.concatenate(highs).astype(np.float64)
        self.low, self.high = float(self.lows.min()), float(self.highs.max())
        if not (np.isfinite(self.low) and np.isfinite(self.high)):
            raise self.pixel_error("finite numbers", np.isfinite)
        self.borders = np.concatenate(borders)

    @property
    def has_integers(self) -> bool:
        """Return whether the pixels have an integer type."""
        return self._array.dtype.kind in "iu"

    def converted(self, form: PixelForm) -> Rows:
        """Return the images as bytes, rounded to the nearest integer and converted on access."""

        def read(start: int, stop: int) -> Pixels:
            pixels = np.empty((stop - start, IMAGE_SIDE, IMAGE_SIDE), np.uint8)
            for first in range(start, stop, _BLOCK):
                block = self._read(first, min(first + _BLOCK, stop))
                convert(block, form, pixels[first - start : first - start + len(block)])
            inverted = self.inverted[start:stop]
            if inverted.any():
                np.subtract(255, pixels, out=pixels, where=inverted[:, np.newaxis, np.newaxis])
            return pixels

        return Rows((len(self), IMAGE_SIDE, IMAGE_SIDE), np.dtype(np.uint8), read)

    def _read(self, start: int, stop: int) -> np.ndarray:
        """Return gray images without padding, ``(n, 28, 28)``, with the stored values."""
        rows = slice(self._rows.start + start, self._rows.start + stop)
        images = self._shape.unpack(self._array.read(self._shape.axis, rows))
        if self._shape.is_plain:
            return images[..., 0]
        colors, alpha = images[..., :3], images[..., 3:]
        if (colors != colors[..., :1]).any() or (alpha != alpha.max(initial=0)).any():
            raise InputError(
                f"{self._where} should be gray images, but their channels differ; "
                "convert them to gray: the mean of the channels of each pixel."
            )
        padding = (self._shape.side - IMAGE_SIDE) // 2
        inside = slice(padding, padding + IMAGE_SIDE)
        around = np.ones(images.shape[1:3], bool)
        around[inside, inside] = False
        if (images[:, around, 0] != images[:, :1, 0, 0]).any():
            raise InputError(
                f"{self._where} should be images of 28 × 28 padded with blank pixels, but images "
                f"of {self._shape.side} × {self._shape.side} have ink in the padding; scale them "
                "to 28 × 28 pixels."
            )
        return images[:, inside, inside, 0]

    def _check_padding(self) -> None:
        """Raise InputError if the padding is larger on one side than on the other.

        The mean center of mass of 50 or more unpadded MNIST digits is 14 ± 0.15 pixels.
        """
        if self._shape.side == IMAGE_SIDE:
            return
        images = self._read(0, min(len(self), _BLOCK)).astype(np.float64)
        ink = np.abs(images - images[:, :1, :1]).sum(axis=0)
        places = np.arange(IMAGE_SIDE)
        center = np.array([ink.sum(axis=1) @ places, ink.sum(axis=0) @ places]) / (ink.sum() or 1)
        if ink.any() and np.abs(center - IMAGE_SIDE / 2).max() > _OFF_CENTER:
            raise InputError(
                f"{self._where} should be images of 28 × 28, padded equally on all sides, but the "
                f"center of the digits is ({center[0]:.1f}, {center[1]:.1f}) instead of (14, 14) "
                "without the padding; remove the padding."
            )

    def _blocks(self) -> Iterator[np.ndarray]:
        for start in range(0, len(self), _BLOCK):
            yield self._read(start, min(start + _BLOCK, len(self)))

    def check_lengths(self) -> None:
        """Raise InputError if images, or their rows or columns, are scaled to unit length.

        ``keras.utils.normalize`` scales them so, and the original lengths are lost.
        """
        sample = self._read(0, min(len(self), _UNIT_SAMPLE)).astype(np.float64) ** 2
        for axes in ((1, 2), (1,), (2,)):
            lengths = np.sqrt(sample.sum(axis=axes))
            if lengths.any() and np.allclose(lengths[lengths > 0], 1, atol=1e-3):
                raise InputError(
                    f"{self._where} should be pixels on one scale, but each image, or each row or "
                    "column of it, is scaled to length 1 (keras.utils.normalize), so the pixels "
                    "cannot be restored; save the images before they are normalized."
                )

    def range_error(self, expected: str, remedy: str) -> InputError:
        """Return an error with the expected and the actual range of the pixels."""
        return InputError(
            f"{self._where} should be {expected}, but its values range from {self.low:.4g} to "
            f"{self.high:.4g}; {remedy}."
        )

    def pixel_error(self, expected: str, valid: Callable[[np.ndarray], np.ndarray]) -> InputError:
        """Return an error with the number of invalid pixels, and the position of the first one."""
        count, first = 0, ""
        for start, block in zip(self._rows[::_BLOCK], self._blocks(), strict=True):
            wrong = np.argwhere(~valid(block))
            if wrong.size and not count:
                image, row, column = wrong[0]
                value = block[image, row, column]
                first = f"pixel ({row}, {column}) of image {start + image} is {value:.4g}"
            count += len(wrong)
        return InputError(
            f"{self._where} should be {expected}, but {count} are not; the first: {first}; "
            "correct these pixels, or remove these images."
        )


def are_few(parts: Sequence[Images]) -> bool:
    """Return whether the images of all parts fit the limit for loading them into memory."""
    return sum(map(len, parts)) <= MAX_IN_MEMORY


def recognize(
    parts: Sequence[Images],
    pixel_range: tuple[float, float] | None = None,
    background: Background = "auto",
) -> PixelForm:
    """Recognize the form in which a file stores its pixels, and which images are inverted.

    The pixel range of many digits shows how their bytes were scaled. The borders of images show
    their background, which may differ between the images of a file.

    Args:
        parts: all images of the file, after :meth:`Images.survey`; sets their ``inverted``.
        pixel_range: the stored values of the bytes 0 and 255; None to recognize them.
        background: ``dark`` or ``light``, or ``auto`` to recognize it.

    Raises:
        InputError: if the form is unknown, or differs between the parts.
    """
    low, high = min(part.low for part in parts), max(part.high for part in parts)
    form = _given_form(parts, *pixel_range) if pixel_range else _recognize_form(parts, low, high)
    borders = np.concatenate([part.borders for part in parts]) * form.factor + form.offset
    light = (borders.mean() > 127.5) if background == "auto" else background == "light"
    inverted = np.full(len(borders), light)
    if background == "auto":
        # A border that is only partly inked does not count against the majority.
        clearly = borders < 255 * _CLEAR if light else borders > 255 * (1 - _CLEAR)
        inverted[clearly] = not light
    ends = np.cumsum([len(part) for part in parts])
    for part, values in zip(parts, np.split(inverted, ends[:-1]), strict=True):
        part.inverted = values
    return form


def _given_form(parts: Sequence[Images], low: float, high: float) -> PixelForm:
    for part in parts:
        if part.low < low or part.high > high:
            raise part.pixel_error(
                f"pixels in {low:.4g}–{high:.4g} (ingestion.pixel_range)",
                lambda block: (block >= low) & (block <= high),
            )
    return form_between(low, high)


def _recognize_form(parts: Sequence[Images], low: float, high: float) -> PixelForm:
    for part in parts:
        if max(part.low - low, high - part.high) > (high - low) / 4:
            raise part.range_error(
                f"pixels from {low:.4g} to {high:.4g} like the other images",
                "scale the images of all splits alike",
            )
    integers = all(part.has_integers for part in parts)
    if not integers:
        for part in parts:
            part.check_lengths()
    lows = np.concatenate([part.lows for part in parts])
    highs = np.concatenate([part.highs for part in parts])
    form = form_of_range(lows, highs, integers=integers)
    if form is None:
        for part in parts:
            if part.has_integers and (part.low < 0 or part.high > 255):
                raise part.pixel_error(
                    "pixels in 0–255", lambda block: (block >= 0) & (block <= 255)
                )
        raise parts[0].range_error(
            "pixels in 0–255, 0–1 or −1…1",
            "save the images before they are preprocessed, or set the values of background and "
            "full ink: --params 'ingestion.pixel_range=[LOW,HIGH]'",
        )
    return form
