"""Simulate bad paper, pens and scanners at five severities.

Most corruptions are those of MNIST-C (Mu and Gilmer 2019, arXiv:1906.02337), reimplemented with
NumPy and SciPy. If a corruption has a direction, successive digits cycle through four directions.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse

from mnist_kedro.contracts import IMAGE_SIDE, Pixels

Images = NDArray[np.float32]  # (n, 28, 28) in 0–1, 1 is ink
SEVERITIES = (1, 2, 3, 4, 5)
_DIRECTIONS = 4


class Corruption(NamedTuple):
    """A corruption: its function, its amount at each severity, and the related augmentation."""

    function: Callable[[Images, float, np.random.Generator], Images]
    amounts: tuple[float, float, float, float, float]
    augmentation: str | None  # the key of `training.augmentation` with a similar effect, if any


def is_related(name: str, augmentation: Mapping[str, float]) -> bool:
    """Return whether a network was trained with an augmentation similar to a corruption.

    Args:
        name: a key of :data:`CORRUPTIONS`.
        augmentation: ``training.augmentation`` of the network.
    """
    return augmentation.get(CORRUPTIONS[name].augmentation or "", 0) > 0


def corrupt(images: Pixels, name: str, severity: int, seed: int = 0) -> Pixels:
    """Corrupt digits; keep their shape, dtype and range.

    Args:
        images: ``(n, 28, 28, 1)`` uint8 in 0–255.
        name: a key of :data:`CORRUPTIONS`.
        severity: 1–5.
        seed: seed of random corruptions; the same digits and seed give the same images.
    """
    corruption = CORRUPTIONS[name]
    ink = images[..., 0].astype(np.float32) / np.float32(255)
    rng = np.random.default_rng([seed, list(CORRUPTIONS).index(name), severity])
    corrupted = corruption.function(ink, corruption.amounts[severity - 1], rng)
    return np.rint(255 * np.clip(corrupted, 0, 1)).astype(np.uint8)[..., None]


def _gaussian_noise(ink: Images, deviation: float, rng: np.random.Generator) -> Images:
    return ink + np.float32(deviation) * rng.standard_normal(ink.shape, np.float32)


def _shot_noise(ink: Images, photons: float, rng: np.random.Generator) -> Images:
    """Simulate a camera in low light, where a pixel of full ink counts ``photons`` on average."""
    return (rng.poisson(photons * ink) / photons).astype(np.float32)


def _impulse_noise(ink: Images, share: float, rng: np.random.Generator) -> Images:
    """Set a share of the pixels to black or white."""
    draws = rng.random(ink.shape, np.float32)
    return np.where(draws < share / 2, 0, np.where(draws > 1 - share / 2, 1, ink))


def _gaussian_blur(ink: Images, pixels: float, _rng: np.random.Generator) -> Images:
    return ndimage.gaussian_filter(ink, (0, pixels, pixels))


def _motion_blur(ink: Images, pixels: float, _rng: np.random.Generator) -> Images:
    """Blur along a line of ``pixels``: horizontal, vertical, or one of the two diagonals."""
    side = int(pixels)
    horizontal = np.zeros((side, side), np.float32)
    horizontal[side // 2] = 1 / side
    diagonal = np.eye(side, dtype=np.float32) / side
    kernels = (horizontal, horizontal.T, diagonal, diagonal[::-1])
    return _by_direction(
        ink,
        lambda part, direction: ndimage.convolve(part, kernels[direction][None], mode="constant"),
    )


def _rotation(ink: Images, degrees: float, _rng: np.random.Generator) -> Images:
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return _by_direction(
        ink,
        lambda part, direction: (
            warp_affine(part, [[cosine, sine], [-sine, cosine]])
            if direction % 2
            else warp_affine(part, [[cosine, -sine], [sine, cosine]])
        ),
    )


def _shear(ink: Images, slope: float, _rng: np.random.Generator) -> Images:
    return _by_direction(
        ink,
        lambda part, direction: warp_affine(
            part, [[1, 0], [slope if direction % 2 else -slope, 1]]
        ),
    )


def _scale(ink: Images, factor: float, _rng: np.random.Generator) -> Images:
    """Scale digits to ``factor`` of their size, 0.5–0.9."""
    return warp_affine(ink, [[1 / factor, 0], [0, 1 / factor]])


def _translation(ink: Images, pixels: float, _rng: np.random.Generator) -> Images:
    """Move towards one of the four corners, by ``pixels`` along both axes."""
    signs = ((1, 1), (1, -1), (-1, 1), (-1, -1))
    return _by_direction(
        ink,
        lambda part, direction: warp_affine(
            part, [[1, 0], [0, 1]], [-pixels * s for s in signs[direction]]
        ),
    )


def _elastic(ink: Images, pixels: float, rng: np.random.Generator) -> Images:
    """Displace points by smoothed noise with a standard deviation of ``pixels``.

    This is the method of Simard et al. 2003 (doi:10.1109/ICDAR.2003.1227801).
    """
    displacements = rng.standard_normal((2, *ink.shape), np.float32)
    displacements = ndimage.gaussian_filter(displacements, (0, 0, 4, 4))
    displacements *= pixels / displacements.std()
    coordinates = np.indices(ink.shape, np.float32)
    coordinates[1:] += displacements
    return ndimage.map_coordinates(ink, coordinates, order=1)


def _brightness(ink: Images, amount: float, _rng: np.random.Generator) -> Images:
    """Make the paper gray."""
    return ink + np.float32(amount)


def _contrast(ink: Images, factor: float, _rng: np.random.Generator) -> Images:
    """Fade the ink."""
    return ink * np.float32(factor)


def _stripe(ink: Images, pixels: float, rng: np.random.Generator) -> Images:
    """Invert a vertical stripe of width ``pixels``, at a random position in the middle half."""
    left = rng.integers(IMAGE_SIDE // 4, 3 * IMAGE_SIDE // 4 - int(pixels) + 1, len(ink))
    columns = np.arange(IMAGE_SIDE)
    inside = (columns >= left[:, None]) & (columns < left[:, None] + pixels)
    return np.where(inside[:, None, :], 1 - ink, ink)


def _spatter(ink: Images, share: float, rng: np.random.Generator) -> Images:
    """Cover a share of the image with blots of ink."""
    noise = ndimage.gaussian_filter(rng.standard_normal(ink.shape, np.float32), (0, 1, 1))
    thresholds = np.quantile(noise, 1 - share, axis=(1, 2), keepdims=True)
    return np.maximum(ink, noise > thresholds)


def _line(ink: Images, pixels: float, rng: np.random.Generator) -> Images:
    """Draw a straight line of width ``pixels`` across the image."""
    angle = rng.uniform(0, np.pi, (len(ink), 1, 1)).astype(np.float32)
    offset = rng.uniform(-6, 6, (len(ink), 1, 1)).astype(np.float32)
    y, x = np.indices((IMAGE_SIDE, IMAGE_SIDE), np.float32) - (IMAGE_SIDE - 1) / 2
    distance = np.abs(np.cos(angle) * x + np.sin(angle) * y - offset)
    return np.maximum(ink, np.clip((pixels + 1) / 2 - distance, 0, 1))


def _occlusion(ink: Images, pixels: float, rng: np.random.Generator) -> Images:
    """Erase a square with sides of ``pixels``, at a random position in the central 20 × 20."""
    side = int(pixels)
    top, left = rng.integers(4, IMAGE_SIDE - 4 - side + 1, (2, len(ink), 1))
    positions = np.arange(IMAGE_SIDE)
    rows = (positions >= top) & (positions < top + side)
    columns = (positions >= left) & (positions < left + side)
    return np.where(rows[:, :, None] & columns[:, None, :], 0, ink)


def _thickness(ink: Images, pixels: float, _rng: np.random.Generator) -> Images:
    """Thicken strokes by ``pixels``, like a felt pen; interpolate between integers."""
    narrow, wide = (
        ndimage.grey_dilation(ink, (1, side, side))
        for side in (int(pixels) + 1, int(np.ceil(pixels)) + 1)
    )
    return narrow + np.float32(pixels % 1) * (wide - narrow)


def warp_affine(ink: Images, matrix: list[list[float]], offset: Sequence[float] = (0, 0)) -> Images:
    """Apply an affine transformation about the image's center.

    ``matrix`` and ``offset`` map output to input coordinates (row, column). With bilinear
    interpolation, each new pixel is a weighted sum of four old pixels. The weights are the same for
    all digits, so one sparse matrix transforms all digits. SciPy's ``affine_transform`` processes
    one digit at a time, and takes ten times as long.
    """
    center = (IMAGE_SIDE - 1) / 2
    new = np.indices((IMAGE_SIDE, IMAGE_SIDE)).reshape(2, -1)
    old = np.array(matrix) @ (new - center) + center + np.array(offset)[:, None]
    first = np.floor(old).astype(int)
    weights = sparse.csr_array((IMAGE_SIDE**2, IMAGE_SIDE**2), dtype=np.float32)
    for corner in ((0, 0), (0, 1), (1, 0), (1, 1)):
        row, column = first + np.array(corner)[:, None]
        weight = np.prod(1 - np.abs(old - (row, column)), axis=0).astype(np.float32)
        inside = (row >= 0) & (row < IMAGE_SIDE) & (column >= 0) & (column < IMAGE_SIDE)
        indices = np.flatnonzero(inside), (row * IMAGE_SIDE + column)[inside]
        weights += sparse.csr_array((weight[inside], indices), shape=weights.shape)
    return (weights @ ink.reshape(len(ink), -1).T).T.reshape(ink.shape)


def _by_direction(ink: Images, function: Callable[[Images, int], Images]) -> Images:
    """Call ``function(ink, direction)`` with direction 0, 1, 2, 3, 0, … for successive digits."""
    corrupted = np.empty_like(ink)
    for direction in range(_DIRECTIONS):
        corrupted[direction::_DIRECTIONS] = function(ink[direction::_DIRECTIONS], direction)
    return corrupted


CORRUPTIONS = {
    "gaussian_noise": Corruption(_gaussian_noise, (0.1, 0.2, 0.3, 0.45, 0.6), "damaged"),
    "shot_noise": Corruption(_shot_noise, (30, 12, 6, 3, 1.5), "damaged"),
    "impulse_noise": Corruption(_impulse_noise, (0.02, 0.05, 0.1, 0.2, 0.3), None),
    "gaussian_blur": Corruption(_gaussian_blur, (0.7, 1.1, 1.5, 2.0, 2.5), "photographed"),
    "motion_blur": Corruption(_motion_blur, (3, 4, 5, 6, 8), None),
    "rotation": Corruption(_rotation, (10, 20, 30, 40, 50), "rotation"),
    "shear": Corruption(_shear, (0.15, 0.3, 0.45, 0.6, 0.75), "shear"),
    "scale": Corruption(_scale, (0.9, 0.8, 0.7, 0.6, 0.5), "zoom"),
    "translation": Corruption(_translation, (1, 2, 3, 4, 5), "shift"),
    "elastic": Corruption(_elastic, (0.6, 0.9, 1.2, 1.6, 2.0), "elastic"),
    "brightness": Corruption(_brightness, (0.1, 0.2, 0.35, 0.5, 0.65), "damaged"),
    "contrast": Corruption(_contrast, (0.75, 0.5, 0.35, 0.2, 0.1), "photographed"),
    "thickness": Corruption(_thickness, (0.5, 1, 1.5, 2, 3), "thickness"),
    "stripe": Corruption(_stripe, (1, 2, 4, 6, 8), None),
    "spatter": Corruption(_spatter, (0.02, 0.05, 0.08, 0.12, 0.16), "damaged"),
    "line": Corruption(_line, (0.5, 1, 1.5, 2.5, 3.5), None),
    "occlusion": Corruption(_occlusion, (4, 6, 8, 10, 12), "damaged"),
}
