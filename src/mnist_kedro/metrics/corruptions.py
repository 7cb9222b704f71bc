"""Digits as bad paper, pens and scanners make them, in five severities.

Most are those of MNIST-C (Mu and Gilmer 2019, arXiv:1906.02337), made anew with NumPy and SciPy;
where a corruption has a direction, the digits take turns in it.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse

from mnist_kedro.contracts import IMAGE_SIDE, Pixels

Images = NDArray[np.float32]  # (n, 28, 28) in 0–1, 1 is ink
SEVERITIES = (1, 2, 3, 4, 5)
_DIRECTIONS = 4


class Corruption(NamedTuple):
    """What is done to the digits, and how much of it at each severity."""

    function: Callable[[Images, float, np.random.Generator], Images]
    amounts: tuple[float, float, float, float, float]


def corrupt(images: Pixels, name: str, severity: int, seed: int = 0) -> Pixels:
    """Corrupt digits.

    Args:
        images: ``(n, 28, 28, 1)`` uint8 in 0–255.
        name: of one of :data:`CORRUPTIONS`.
        severity: 1–5.
        seed: of what is random about it; the same digits and seed give the same pictures.
    """
    corruption = CORRUPTIONS[name]
    ink = images[..., 0].astype(np.float32) / np.float32(255)
    rng = np.random.default_rng([seed, list(CORRUPTIONS).index(name), severity])
    changed = corruption.function(ink, corruption.amounts[severity - 1], rng)
    return np.rint(255 * np.clip(changed, 0, 1)).astype(np.uint8)[..., None]


def _gaussian_noise(ink: Images, deviation: float, rng: np.random.Generator) -> Images:
    return ink + np.float32(deviation) * rng.standard_normal(ink.shape, np.float32)


def _shot_noise(ink: Images, photons: float, rng: np.random.Generator) -> Images:
    """Of a camera in little light: each pixel counts so many photons at most, on average."""
    return (rng.poisson(photons * ink) / photons).astype(np.float32)


def _impulse_noise(ink: Images, share: float, rng: np.random.Generator) -> Images:
    """This share of the pixels becomes black or white."""
    drawn = rng.random(ink.shape, np.float32)
    return np.where(drawn < share / 2, 0, np.where(drawn > 1 - share / 2, 1, ink))


def _gaussian_blur(ink: Images, pixels: float, _rng: np.random.Generator) -> Images:
    return ndimage.gaussian_filter(ink, (0, pixels, pixels))


def _motion_blur(ink: Images, pixels: float, _rng: np.random.Generator) -> Images:
    """Along a line of so many pixels: flat, upright, or one of both diagonals."""
    side = int(pixels)
    flat = np.zeros((side, side), np.float32)
    flat[side // 2] = 1 / side
    diagonal = np.eye(side, dtype=np.float32) / side
    kernels = (flat, flat.T, diagonal, diagonal[::-1])
    return _in_turns(
        ink, lambda part, turn: ndimage.convolve(part, kernels[turn][None], mode="constant")
    )


def _rotation(ink: Images, degrees: float, _rng: np.random.Generator) -> Images:
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return _in_turns(
        ink,
        lambda part, turn: (
            move_ink(part, [[cosine, sine], [-sine, cosine]])
            if turn % 2
            else move_ink(part, [[cosine, -sine], [sine, cosine]])
        ),
    )


def _shear(ink: Images, slope: float, _rng: np.random.Generator) -> Images:
    return _in_turns(
        ink, lambda part, turn: move_ink(part, [[1, 0], [slope if turn % 2 else -slope, 1]])
    )


def _scale(ink: Images, factor: float, _rng: np.random.Generator) -> Images:
    """Smaller by this factor."""
    return move_ink(ink, [[1 / factor, 0], [0, 1 / factor]])


def _translation(ink: Images, pixels: float, _rng: np.random.Generator) -> Images:
    """Into one of the four corners, by so many pixels each way."""
    signs = ((1, 1), (1, -1), (-1, 1), (-1, -1))
    return _in_turns(
        ink,
        lambda part, turn: move_ink(part, [[1, 0], [0, 1]], [-pixels * s for s in signs[turn]]),
    )


def _elastic(ink: Images, pixels: float, rng: np.random.Generator) -> Images:
    """Each point moves by so many pixels (a standard deviation), near points alike.

    As Simard et al. 2003 (doi:10.1109/ICDAR.2003.1227801) do it.
    """
    moves = rng.standard_normal((2, *ink.shape), np.float32)
    moves = ndimage.gaussian_filter(moves, (0, 0, 4, 4))
    moves *= pixels / moves.std()
    places = np.indices(ink.shape, np.float32)
    places[1:] += moves
    return ndimage.map_coordinates(ink, places, order=1)


def _brightness(ink: Images, amount: float, _rng: np.random.Generator) -> Images:
    """Grey paper."""
    return ink + np.float32(amount)


def _contrast(ink: Images, factor: float, _rng: np.random.Generator) -> Images:
    """Faded ink."""
    return ink * np.float32(factor)


def _stripe(ink: Images, pixels: float, rng: np.random.Generator) -> Images:
    """Inverted within an upright stripe of this width, over the middle half somewhere."""
    left = rng.integers(IMAGE_SIDE // 4, 3 * IMAGE_SIDE // 4 - int(pixels) + 1, len(ink))
    columns = np.arange(IMAGE_SIDE)
    inside = (columns >= left[:, None]) & (columns < left[:, None] + pixels)
    return np.where(inside[:, None, :], 1 - ink, ink)


def _spatter(ink: Images, share: float, rng: np.random.Generator) -> Images:
    """Blots of ink over this share of the picture."""
    noise = ndimage.gaussian_filter(rng.standard_normal(ink.shape, np.float32), (0, 1, 1))
    edges = np.quantile(noise, 1 - share, axis=(1, 2), keepdims=True)
    return np.maximum(ink, noise > edges)


def _line(ink: Images, pixels: float, rng: np.random.Generator) -> Images:
    """A stroke of this width across the picture."""
    angle = rng.uniform(0, np.pi, (len(ink), 1, 1)).astype(np.float32)
    offset = rng.uniform(-6, 6, (len(ink), 1, 1)).astype(np.float32)
    y, x = np.indices((IMAGE_SIDE, IMAGE_SIDE), np.float32) - (IMAGE_SIDE - 1) / 2
    distance = np.abs(np.cos(angle) * x + np.sin(angle) * y - offset)
    return np.maximum(ink, np.clip((pixels + 1) / 2 - distance, 0, 1))


def _occlusion(ink: Images, pixels: float, rng: np.random.Generator) -> Images:
    """A blank square of this side somewhere over the digit's 20 × 20 pixels."""
    side = int(pixels)
    top, left = rng.integers(4, IMAGE_SIDE - 4 - side + 1, (2, len(ink), 1))
    places = np.arange(IMAGE_SIDE)
    rows = (places >= top) & (places < top + side)
    columns = (places >= left) & (places < left + side)
    return np.where(rows[:, :, None] & columns[:, None, :], 0, ink)


def _thickness(ink: Images, pixels: float, _rng: np.random.Generator) -> Images:
    """Strokes wider by so many pixels, or between two whole numbers of them: of a felt pen."""
    narrow, wide = (
        ndimage.grey_dilation(ink, (1, side, side))
        for side in (int(pixels) + 1, int(np.ceil(pixels)) + 1)
    )
    return narrow + np.float32(pixels % 1) * (wide - narrow)


def move_ink(ink: Images, matrix: list[list[float]], offset: Sequence[float] = (0, 0)) -> Images:
    """Each digit about its centre; matrix and offset map new places to old ones, (row, column).

    Bilinear: a new pixel is a sum of four old ones, the same for all digits, so all are computed by
    one sparse matrix. SciPy's ``affine_transform`` takes each digit by itself, and ten times as
    long.
    """
    middle = (IMAGE_SIDE - 1) / 2
    new = np.indices((IMAGE_SIDE, IMAGE_SIDE)).reshape(2, -1)
    old = np.array(matrix) @ (new - middle) + middle + np.array(offset)[:, None]
    first = np.floor(old).astype(int)
    sums = sparse.csr_array((IMAGE_SIDE**2, IMAGE_SIDE**2), dtype=np.float32)
    for corner in ((0, 0), (0, 1), (1, 0), (1, 1)):
        row, column = first + np.array(corner)[:, None]
        weight = np.prod(1 - np.abs(old - (row, column)), axis=0).astype(np.float32)
        inside = (row >= 0) & (row < IMAGE_SIDE) & (column >= 0) & (column < IMAGE_SIDE)
        places = np.flatnonzero(inside), (row * IMAGE_SIDE + column)[inside]
        sums += sparse.csr_array((weight[inside], places), shape=sums.shape)
    return (sums @ ink.reshape(len(ink), -1).T).T.reshape(ink.shape)


def _in_turns(ink: Images, function: Callable[[Images, int], Images]) -> Images:
    """Every fourth digit in the same direction."""
    changed = np.empty_like(ink)
    for turn in range(_DIRECTIONS):
        changed[turn::_DIRECTIONS] = function(ink[turn::_DIRECTIONS], turn)
    return changed


CORRUPTIONS = {
    "gaussian_noise": Corruption(_gaussian_noise, (0.1, 0.2, 0.3, 0.45, 0.6)),
    "shot_noise": Corruption(_shot_noise, (30, 12, 6, 3, 1.5)),
    "impulse_noise": Corruption(_impulse_noise, (0.02, 0.05, 0.1, 0.2, 0.3)),
    "gaussian_blur": Corruption(_gaussian_blur, (0.7, 1.1, 1.5, 2.0, 2.5)),
    "motion_blur": Corruption(_motion_blur, (3, 4, 5, 6, 8)),
    "rotation": Corruption(_rotation, (10, 20, 30, 40, 50)),
    "shear": Corruption(_shear, (0.15, 0.3, 0.45, 0.6, 0.75)),
    "scale": Corruption(_scale, (0.9, 0.8, 0.7, 0.6, 0.5)),
    "translation": Corruption(_translation, (1, 2, 3, 4, 5)),
    "elastic": Corruption(_elastic, (0.6, 0.9, 1.2, 1.6, 2.0)),
    "brightness": Corruption(_brightness, (0.1, 0.2, 0.35, 0.5, 0.65)),
    "contrast": Corruption(_contrast, (0.75, 0.5, 0.35, 0.2, 0.1)),
    "thickness": Corruption(_thickness, (0.5, 1, 1.5, 2, 3)),
    "stripe": Corruption(_stripe, (1, 2, 4, 6, 8)),
    "spatter": Corruption(_spatter, (0.02, 0.05, 0.08, 0.12, 0.16)),
    "line": Corruption(_line, (0.5, 1, 1.5, 2.5, 3.5)),
    "occlusion": Corruption(_occlusion, (4, 6, 8, 10, 12)),
}
