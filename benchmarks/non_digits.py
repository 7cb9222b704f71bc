"""Draw letters, scribbles, shapes and noise, which the digit detector should flag.

The drawing methods and the fonts differ from those of the detector's training data.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mnist_kedro.pictures.decode import GrayPicture

_SIDE = 120  # pixels
_LETTERS = [
    c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if c not in "OoIlSsZzBbgq"
]
_LEARNED = ("dejavu", "stix")


def find_fonts(folder: Path, count: int) -> list[Path]:
    """Find at most ``count`` fonts in a folder, evenly spaced in alphabetical order."""
    files = sorted(f for kind in ("ttf", "otf") for f in folder.rglob(f"*.{kind}"))
    files = [f for f in files if not f.name.lower().startswith(_LEARNED)]
    rows = np.linspace(0, len(files) - 1, min(count, len(files))).astype(int)
    return [files[row] for row in rows]


def draw_letters(fonts: Sequence[Path]) -> Iterator[GrayPicture]:
    """Print all letters that do not look like digits."""
    for file in fonts:
        font = ImageFont.truetype(file, _SIDE // 2)
        for letter in _LETTERS:
            picture = Image.new("L", (_SIDE, _SIDE), 240)
            ImageDraw.Draw(picture).text((_SIDE // 2,) * 2, letter, 20, font, anchor="mm")
            if np.asarray(picture).min() < 200:  # The font contains the letter.
                yield np.asarray(picture)


def draw_scribbles(count: int, random: np.random.Generator) -> Iterator[GrayPicture]:
    """Draw long curves that cross themselves."""
    for _ in range(count):
        angles = np.cumsum(random.normal(0, 0.4, 300))
        points = 2 * np.cumsum(np.stack([np.cos(angles), np.sin(angles)], axis=1), axis=0)
        side = random.uniform(40, 80)
        within = np.abs((points + side) % (2 * side) - side)  # Reflect the curve at the borders.
        yield _draw([[*map(tuple, within + 20)]], int(random.integers(2, 8)))


def draw_shapes(count: int, random: np.random.Generator) -> Iterator[GrayPicture]:
    """Draw rectangles, triangles, crosses and plus signs."""
    for _ in range(count):
        left, top = random.uniform(15, 35, 2)
        right, bottom = random.uniform(75, 105, 2)
        x, y = (left + right) / 2, (top + bottom) / 2
        shape = [
            [[(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]],
            [[(x, top), (right, bottom), (left, bottom), (x, top)]],
            [[(left, top), (right, bottom)], [(right, top), (left, bottom)]],
            [[(x, top), (x, bottom)], [(left, y), (right, y)]],
        ][random.integers(4)]
        yield _draw(shape, int(random.integers(3, 12)))


def draw_nothing(count: int, random: np.random.Generator) -> Iterator[GrayPicture]:
    """Draw blank paper of any gray level, and noise of any strength and grain size."""
    for _ in range(count):
        side = int(random.integers(20, 300))
        level, noise = random.uniform(0, 255), random.choice([0, random.uniform(1, 80)])
        grain = int(random.integers(1, 4))
        small = random.normal(level, noise, (side // grain + 1,) * 2)
        yield np.clip(np.kron(small, np.ones((grain, grain))), 0, 255).astype(np.uint8)


def _draw(lines: list[list[tuple[float, float]]], width: int) -> GrayPicture:
    picture = Image.new("L", (_SIDE, _SIDE), 240)
    pen = ImageDraw.Draw(picture)
    for line in lines:
        pen.line(line, 20, width, joint="curve")
    return np.asarray(picture)
