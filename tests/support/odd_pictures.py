"""Pictures of any kind: random, degenerate, and files with mutated bytes."""

from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF")
MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK")


def odd_file(seed: int) -> bytes:
    """The bytes of a file that is, or was, a picture; the same for the same seed."""
    random = np.random.default_rng(seed)
    picture = odd_picture(random)
    form = FORMATS[random.integers(len(FORMATS))]
    file = BytesIO()
    try:
        picture.save(file, form)
    except (OSError, ValueError):  # the format does not have this mode
        file = BytesIO()
        picture.convert("RGB").save(file, form)
    data = bytearray(file.getvalue())
    if random.random() < 0.3:
        for _ in range(random.integers(1, 10)):
            data[random.integers(len(data))] = random.integers(256)
    if random.random() < 0.1:
        del data[random.integers(len(data)) :]
    return bytes(data)


def odd_picture(random: np.random.Generator) -> Image.Image:
    """A picture of random size, mode and content."""
    longest = int(random.choice([3, 30, 300, 1500], p=[0.2, 0.4, 0.38, 0.02]))
    height, width = (int(random.integers(1, longest + 1)) for _ in range(2))
    contents = (_one_level, _noise, _lines, _dots, _shade, _stripes)
    levels = contents[random.integers(len(contents))](height, width, random)
    picture = Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))
    mode = MODES[random.integers(len(MODES))]
    if mode == "I;16":
        return Image.fromarray(np.asarray(picture, np.uint16) * int(random.choice([1, 4, 257])))
    return picture.convert(mode)


def _one_level(height, width, random):
    return np.full((height, width), random.integers(256))


def _noise(height, width, random):
    return random.normal(random.integers(256), random.uniform(0, 80), (height, width))


def _lines(height, width, random):
    picture = Image.new("L", (width, height), int(random.integers(256)))
    draw = ImageDraw.Draw(picture)
    for _ in range(random.integers(1, 30)):
        ends = [int(random.integers(-5, side + 5)) for side in (width, height) * 2]
        pen = int(random.choice([0, 1, 2, 5, 40]))
        draw.line(ends, fill=int(random.integers(256)), width=pen)
    return np.asarray(picture, float)


def _dots(height, width, random):
    levels = np.full((height, width), 255.0)
    levels[random.random((height, width)) < random.choice([0.001, 0.02, 0.5])] = 0
    return levels


def _shade(height, width, random):
    down, right = np.indices((height, width))
    return random.integers(256) + random.normal(0, 2) * down + random.normal(0, 2) * right


def _stripes(height, width, random):
    down, right = np.indices((height, width))
    along = down if random.random() < 0.5 else right
    return 255.0 * (along // random.integers(1, 9) % 2)
