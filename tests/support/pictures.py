"""Pictures of digits as people take them: larger, somewhere on shaded and noisy paper, turned."""

from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFont


def photograph(digit: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A photo of one of MNIST's digits.

    Args:
        digit: ``(28, 28)`` uint8.
        rng: of all that is random about it.

    Returns:
        ``(height, width)`` uint8; in one of four photos the ink is lighter than the paper.
    """
    side = int(28 * rng.uniform(2, 9))
    ink = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
    ink = ink.rotate(rng.uniform(-10, 10), Image.Resampling.BICUBIC)
    height, width = (int(side * rng.uniform(1.1, 2.2)) for _ in range(2))
    page = Image.new("L", (width, height))
    page.paste(ink, (int(rng.integers(0, width - side)), int(rng.integers(0, height - side))))
    strength = np.asarray(page, float) / 255
    rows, columns = np.indices(strength.shape) / max(strength.shape)
    paper = rng.uniform(170, 240) + rng.uniform(-30, 30) * rows + rng.uniform(-30, 30) * columns
    pen = rng.uniform(20, 90)
    picture = paper * (1 - strength) + pen * strength
    if rng.random() < 0.25:
        picture = 255 - picture
    picture = picture + rng.normal(0, rng.uniform(2, 9), picture.shape)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def saved(picture: np.ndarray | Image.Image, form: str = "PNG", **options: object) -> bytes:
    """The bytes of a file."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    file = BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def letter(character: str, side: int = 80) -> np.ndarray:
    """Return a picture of a printed letter, dark on light, in a font of Matplotlib."""
    file = Path(mpl.get_data_path(), "fonts", "ttf", "cmss10.ttf")  # not among those learned from
    picture = Image.new("L", (2 * side, 2 * side), 235)
    font = ImageFont.truetype(file, side)
    ImageDraw.Draw(picture).text((side, side), character, 30, font, anchor="mm")
    return np.asarray(picture)
