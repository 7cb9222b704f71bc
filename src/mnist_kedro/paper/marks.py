"""Draw non-digits: letters, signs, scribbles, shapes, noise, and two digits at once."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from mnist_kedro.contracts import Pixels
from mnist_kedro.paper.handwriting import (
    Lines,
    Random,
    draw,
    draw_strokes,
    rewrite,
    smooth,
    stretch,
    trace,
    trim,
)
from mnist_kedro.pictures.strokes import Ink

# Without those that some hand or font writes like a digit.
_LETTERS = "ACDEFGHJKLMNPQRTUVWXYacdefhijkmnprtuvwxy"
_SIGNS = "ΔΛΞΠΣΦΨΩαβγεηκλμνπρυφχψωЖИЛПФЦШЩЪЮджклмптфцшщыюÄÖÜäöüñéèøåæ&@#$%+×÷=*§€£¥"
_GLYPH_SIDE = 48  # pixels; the size in which glyphs are rendered
_MIN_GLYPH_INK = 30  # pixels; less is an empty glyph


def write_non_digit(digits: Pixels, random: Random, side: int, pen: float) -> Ink:
    """Write a non-digit.

    Args:
        digits: ``(n, 28, 28)`` uint8, MNIST's; for two at once.
        random: chooses what is written.
        side: pixels; about the longer side.
        pen: pixels; half the width of the strokes.

    Returns:
        The ink without margins.
    """
    kinds: dict[Callable[[Random, int, float], Ink], float] = {
        _write_letter: 0.42,
        _scribble: 0.2,
        _draw_shape: 0.14,
        partial(_write_pair, digits): 0.1,
        _draw_anything: 0.04,
        _make_noise: 0.1,
    }
    kind = random.choice(len(kinds), p=[*kinds.values()])
    return [*kinds][kind](random, side, pen)


def write_font_digit(random: Random, side: int, pen: float) -> Ink:
    """Print a digit in some font, or write along the middle of its strokes."""
    return _write_character(str(random.integers(10)), random, side, pen)


def _write_letter(random: Random, side: int, pen: float) -> Ink:
    letters = _LETTERS if random.random() < 0.75 else _SIGNS
    return _write_character(letters[random.integers(len(letters))], random, side, pen)


def _write_character(character: str, random: Random, side: int, pen: float) -> Ink:
    fonts = _find_fonts()
    while True:
        glyph = _render(character, fonts[random.integers(len(fonts))])
        if glyph.sum() > 255 * _MIN_GLYPH_INK:
            break
    if random.random() < 0.5:
        return rewrite(glyph, random, side, pen)
    scale = side / max(trim(glyph).shape)
    size = [max(3, round(scale * length)) for length in glyph.shape[::-1]]
    large = np.asarray(Image.fromarray(glyph).resize(size), np.float32) / np.float32(255)
    return trim(stretch(large, random))


@cache
def _find_fonts() -> list[ImageFont.FreeTypeFont]:
    """Load the fonts of Matplotlib that have letters and digits at their places."""
    import matplotlib as mpl  # noqa: PLC0415  (slow, and the fonts alone are needed)

    files = sorted(Path(mpl.get_data_path(), "fonts", "ttf").glob("*.ttf"))
    text = [file for file in files if file.name.startswith(("DejaVu", "STIXGeneral"))]
    return [ImageFont.truetype(file, _GLYPH_SIDE) for file in text]


@cache
def _render(character: str, font: ImageFont.FreeTypeFont) -> Pixels:
    left, top, right, bottom = font.getbbox(character)
    picture = Image.new("L", (int(right - left) + 8, int(bottom - top) + 8))
    ImageDraw.Draw(picture).text((4 - left, 4 - top), character, 255, font)
    return np.asarray(picture)


def _scribble(random: Random, side: int, pen: float) -> Ink:
    if random.random() < 0.5:
        points = random.uniform(0, 1, (random.integers(6, 20), 2))
        line = smooth(points, random.uniform(1, 8), count=160)
    else:  # a walk with changing directions
        turns = random.normal(random.normal(0, 0.1), random.uniform(0.1, 0.7), 200)
        angles = np.cumsum(turns[: random.integers(40, 200)])
        line = np.cumsum(np.stack([np.sin(angles), np.cos(angles)], axis=1), axis=0)
    line = (line - line.min(axis=0)) / np.maximum(np.ptp(line, axis=0), 1e-6)
    return _trace([line], random, side, pen)


def _draw_anything(random: Random, side: int, pen: float) -> Ink:
    return _trace(draw_strokes(random), random, side, pen)


def _draw_shape(random: Random, side: int, pen: float) -> Ink:
    if random.random() < 0.12:
        face = [_ring(), _ring((0.35, 0.32), 0.04), _ring((0.35, 0.68), 0.04)]
        mouth = _ring((0.5, 0.5), 0.3, random.uniform(-0.2, 0.6))
        return _trace([*face, mouth], random, side, pen)
    shape = _SHAPES[random.integers(len(_SHAPES))]
    if random.random() < 0.2:  # a regular polygon, or a star
        count = random.choice([5, 7])
        angles = np.arange(count + 1) * 2 * np.pi / count * random.choice([1, 2, 2])
        shape = [[*zip(0.5 - 0.5 * np.cos(angles), 0.5 + 0.5 * np.sin(angles), strict=True)]]
    lines = [np.array(line) + random.normal(0, 0.03, (len(line), 2)) for line in shape]
    return _trace(lines, random, side, pen)


def _ring(
    middle: tuple[float, float] = (0.5, 0.5), radius: float = 0.5, start: float = -np.pi
) -> NDArray[np.floating]:
    """Draw a circle, or the lower part of one that begins at an angle."""
    angles = np.linspace(start, np.pi - start if start > -np.pi else np.pi, 40)
    return np.stack(
        [middle[0] + radius * np.sin(angles), middle[1] + radius * np.cos(angles)], axis=1
    )


_SHAPES: list[list[list[tuple[float, float]]]] = [  # lines of points (down, right)
    [[(0, 0), (0, 1), (1, 1), (1, 0), (0, 0)]],
    [[(0, 0), (0, 1), (1, 1), (1, 0), (0, 0)], [(0, 0), (1, 1)]],
    [[(0, 0.5), (1, 0), (1, 1), (0, 0.5)]],
    [[(1, 0.5), (0, 0), (0, 1), (1, 0.5)]],
    [[(0, 0.5), (0.5, 1), (1, 0.5), (0.5, 0), (0, 0.5)]],
    [[(0, 0), (1, 1)], [(0, 1), (1, 0)]],
    [[(0.5, 0), (0.5, 1)], [(0, 0.5), (1, 0.5)]],
    [[(0.5, 0), (0.5, 1)], [(0, 0.5), (1, 0.5)], [(0.15, 0.15), (0.85, 0.85)]],
    [[(0.5, 0), (0.5, 1)], [(0.2, 0.7), (0.5, 1), (0.8, 0.7)]],
    [[(1, 0.5), (0, 0.5)], [(0.3, 0.2), (0, 0.5), (0.3, 0.8)]],
    [[(0.6, 0), (1, 0.35), (0, 1)]],
    [[(0.2, 0), (0.2, 1)], [(0.8, 0), (0.8, 1)]],
    [[(0, 0), (0.3, 0.25), (0, 0.5), (0.3, 0.75), (0, 1)]],
    [[(1, 0), (1, 1), (0.45, 1), (0, 0.5), (0.45, 0), (1, 0)]],
]


def _trace(lines: Lines, random: Random, side: int, pen: float) -> Ink:
    return trace(draw(lines, (side, max(4, round(side * random.uniform(0.6, 1.4))))), pen)


def _write_pair(digits: Pixels, random: Random, side: int, pen: float) -> Ink:
    first, second = (
        rewrite(digits[random.integers(len(digits))], random, side, pen) for _ in range(2)
    )
    height = max(len(first), len(second))
    gap = round(side * random.uniform(-0.12, 0.15))
    start = max(0, first.shape[1] + gap)
    pair = np.zeros((height, start + second.shape[1]), np.float32)
    width = min(first.shape[1], pair.shape[1])
    pair[: len(first), :width] = first[:, :width]
    np.maximum(pair[: len(second), start:], second, out=pair[: len(second), start:])
    return pair


def _make_noise(random: Random, side: int, _pen: float) -> Ink:
    noise = ndimage.gaussian_filter(
        random.normal(size=(side, side)), side * random.uniform(0.01, 0.1)
    )
    noise = (noise - noise.min()) / max(np.ptp(noise), 1e-6)
    ink = np.clip(6 * (noise - random.uniform(0.4, 0.7)), 0, 1).astype(np.float32)
    return trim(ink)
