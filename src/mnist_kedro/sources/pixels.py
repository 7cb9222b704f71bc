"""Convert pixels, in whatever form they are stored, to uint8: 0 background, 255 full ink."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mnist_kedro.arrays import Rows
from mnist_kedro.contracts import IMAGE_SIDE, Pixels
from mnist_kedro.errors import InputError
from mnist_kedro.sources.contents import StoredArray, in_memory
from mnist_kedro.sources.shapes import EXPECTED, describe_shape, rows_axis

_BLOCK = 4096  # images converted at once, so that memory never holds all of them as floats
MAX_IN_MEMORY = 250_000  # images; larger sets are read from the file on every access
_UNCHANGED = "uint8 (n, 28, 28) with pixels 0–255"  # needs no conversion
_BORDER = np.ones((IMAGE_SIDE, IMAGE_SIDE), dtype=bool)
_BORDER[1:-1, 1:-1] = False
_TOLERANCE = 1e-6  # rounding error of dividing bytes in float32


@dataclass(frozen=True)
class PixelForm:
    """How pixels are stored: byte = value · factor + offset, then 255 − byte if inverted."""

    range: str
    factor: float
    offset: float
    inverted: bool = False

    def __str__(self) -> str:
        return f"pixels {self.range}{', inverted' if self.inverted else ''}"


class Images:
    """Some rows of an array of images, before their conversion to bytes.

    Raises:
        InputError: if the array does not hold images of 28 × 28 numbers, or the rows are empty.
    """

    def __init__(self, array: StoredArray, rows: slice, where: str) -> None:
        self._where = f"{where}: '{array.name}'"
        axis = rows_axis(array.shape)
        if axis is None or array.dtype.kind not in "buif":
            raise InputError(
                f"{self._where} should be images of shape {EXPECTED} and a numeric type, "
                f"but is {array.shape} {array.dtype}."
            )
        self.name = array.name
        self._array, self._axis = array, axis
        start, stop, _ = rows.indices(array.shape[axis])
        self._rows = range(start, max(start, stop))
        if not self._rows:
            raise InputError(f"{self._where} should be images, but is empty.")
        self._stored = f"{array.dtype} {describe_shape(array.shape, axis)}"

    def __len__(self) -> int:
        return len(self._rows)

    def describe_conversion(self, form: PixelForm) -> str:
        """Return the form that the images are converted from; empty if they need no conversion."""
        stored = f"{self._stored} with {form}"
        return "" if stored == _UNCHANGED else f"images {stored}"

    def survey(self, *, keep: bool) -> None:
        """Compute the minimum and maximum of the pixels, and the mean of the images' borders.

        ``keep`` loads pixels of one byte into memory, where they take no more space when converted.
        Raises InputError if a pixel is NaN or infinite.
        """
        if keep and self._array.dtype.itemsize == 1:
            rows = slice(self._rows.start, self._rows.stop)
            self._array = in_memory(self._array.name, self._array.read(self._axis, rows))
            self._rows = range(len(self._rows))
        self.low, self.high, border = np.inf, -np.inf, 0.0
        for block in self._blocks():
            low, high = block.min(), block.max()
            if not (np.isfinite(low) and np.isfinite(high)):
                raise self.pixel_error("finite numbers", np.isfinite)
            self.low, self.high = min(self.low, float(low)), max(self.high, float(high))
            border += block[:, _BORDER].sum(dtype=np.float64)
        self.border = border / (len(self) * _BORDER.sum())

    @property
    def has_integers(self) -> bool:
        """Return whether the pixels have an integer type."""
        return self._array.dtype.kind in "iu"

    def converted(self, form: PixelForm) -> Rows:
        """Return the images as bytes, rounded to the nearest; they are converted on access."""

        def read(start: int, stop: int) -> Pixels:
            pixels = np.empty((stop - start, IMAGE_SIDE, IMAGE_SIDE), np.uint8)
            for first in range(start, stop, _BLOCK):
                block = self._read(first, min(first + _BLOCK, stop))
                _convert(block, form, pixels[first - start : first - start + len(block)])
            return pixels

        return Rows((len(self), IMAGE_SIDE, IMAGE_SIDE), np.dtype(np.uint8), read)

    def _read(self, start: int, stop: int) -> np.ndarray:
        rows = slice(self._rows.start + start, self._rows.start + stop)
        return self._array.read(self._axis, rows).reshape(-1, IMAGE_SIDE, IMAGE_SIDE)

    def _blocks(self) -> Iterator[np.ndarray]:
        for start in range(0, len(self), _BLOCK):
            yield self._read(start, min(start + _BLOCK, len(self)))

    def range_error(self, expected: str) -> InputError:
        """Return an error with the expected and the found range of the pixels."""
        return InputError(
            f"{self._where} should be {expected}, but its values range from {self.low:.4g} to "
            f"{self.high:.4g}, with a mean of {self.border:.4g} at the images' borders; "
            "undo the preprocessing."
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
            f"{self._where} should be {expected}, but {count} are not; the first: {first}."
        )


def _convert(block: np.ndarray, form: PixelForm, target: Pixels) -> None:
    if form.factor == 1 and form.offset == 0 and block.dtype.kind in "bui":
        target[...] = block
    else:
        floats = block.astype(np.promote_types(block.dtype, np.float32))
        np.rint(floats * form.factor + form.offset, out=floats)
        target[...] = np.clip(floats, 0, 255)  # values exceed the range by at most the tolerance
    if form.inverted:
        np.subtract(255, target, out=target)


def are_few(parts: Sequence[Images]) -> bool:
    """Return whether the images of all parts may be kept in memory."""
    return sum(map(len, parts)) <= MAX_IN_MEMORY


def recognize(parts: Sequence[Images]) -> PixelForm:
    """Recognize the form in which a file stores its pixels, the same for all parts.

    Nearly all digits contain background and full ink, so the range of many digits shows how their
    bytes were scaled. The images' borders are background.

    Args:
        parts: all images of the file, after :meth:`Images.survey`.

    Raises:
        InputError: if the form is unknown, or differs between the parts.
    """
    low, high = min(part.low for part in parts), max(part.high for part in parts)
    for part in parts:
        if max(part.low - low, high - part.high) > (high - low) / 4:
            raise part.range_error(f"pixels from {low:.4g} to {high:.4g} like the other images")
    form = _form_of_range(low, high, integers=all(part.has_integers for part in parts))
    if form is None:
        for part in parts:
            if part.has_integers and (part.low < 0 or part.high > 255):
                raise part.pixel_error(
                    "pixels in 0–255", lambda block: (block >= 0) & (block <= 255)
                )
        raise parts[0].range_error("pixels in 0–255, 0–1 or −1…1")
    inverted = {part.border * form.factor + form.offset > 127.5: part for part in parts}
    if len(inverted) > 1:
        raise inverted[True].range_error("dark at its borders like the other images")
    return replace(form, inverted=True in inverted)


def _form_of_range(low: float, high: float, *, integers: bool) -> PixelForm | None:
    if low >= 0 and 1 + _TOLERANCE < high <= 255 and (integers or high >= 128):
        return PixelForm("0–255", 1.0, 0.0)
    if low >= 0 and abs(high - 255 / 256) < _TOLERANCE:
        return PixelForm("0–255/256", 256.0, 0.0)  # deeplearning.net's mnist.pkl and its copies
    if low >= 0 and 0.75 < high <= 1 + _TOLERANCE:
        return PixelForm("0–1", 255.0, 0.0)
    if -1 - _TOLERANCE <= low < -0.75 and 0.75 < high <= 1 + _TOLERANCE:
        return PixelForm("−1…1", 127.5, 127.5)
    return None
