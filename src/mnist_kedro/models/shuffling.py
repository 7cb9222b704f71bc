"""Batches in random order of digits that lie in a file, a part of which is in memory."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from mnist_kedro.arrays import Rows
from mnist_kedro.contracts import Labels, Pixels


def shuffled_batches(
    images: Rows, labels: Labels, size: int, buffer: int, random: np.random.Generator
) -> Iterator[tuple[Pixels, Labels]]:
    """Full batches of all digits, each digit once at most.

    Pieces of consecutive digits, as they lie together in the file, are drawn at random into a
    buffer, in which the digits are shuffled; meanwhile the next buffer is read. So what the order
    of the file leaves behind is that of a random choice of ``buffer / images.chunk`` pieces: if the
    file were sorted by class, a class of a tenth of the digits would have 10 ± 1.1 % (a standard
    deviation) of a buffer of 250,000.

    Args:
        images: ``(n, …)``.
        labels: ``(n,)``.
        size: of a batch.
        buffer: digits in it; with the next one twice as many are in memory.
        random: what order there is.

    Yields:
        ``n // size`` pairs of ``(size, …)`` and ``(size,)``.
    """
    starts = random.permutation(np.arange(0, len(images), images.chunk))
    pieces = max(1, buffer // images.chunk)
    groups = [starts[first : first + pieces] for first in range(0, len(starts), pieces)]
    rest = images[:0], labels[:0]  # too few for a batch; they go into the next buffer
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(_read, images, labels, groups[0], size)
        for following in [*groups[1:], None]:
            pixels, digits = reading.result()
            if following is not None:
                reading = pool.submit(_read, images, labels, following, size)
            first = size - len(rest[1])
            pixels, digits = pixels[first:], digits[first:]
            pixels[: len(rest[1])], digits[: len(rest[1])] = rest
            order = random.permutation(len(digits))
            full = len(order) - len(order) % size
            for rows in order[:full].reshape(-1, size):
                yield pixels[rows], digits[rows]
            rest = pixels[order[full:]], digits[order[full:]]


def _read(images: Rows, labels: Labels, starts: np.ndarray, before: int) -> tuple[Pixels, Labels]:
    """Pieces one after another, with place for so many digits before them."""
    stops = np.minimum(starts + images.chunk, len(images))
    total = before + int((stops - starts).sum())
    pixels = np.empty((total, *images.shape[1:]), images.dtype)
    digits = np.empty(total, labels.dtype)
    done = before
    for start, stop in zip(starts, stops, strict=True):
        upto = done + stop - start
        pixels[done:upto], digits[done:upto] = images[start:stop], labels[start:stop]
        done = upto
    return pixels, digits
