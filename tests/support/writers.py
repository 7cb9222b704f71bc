"""Digits as some people write them: strokes with the mouse, and pictures of others like them."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw
from playwright.sync_api import Page

Strokes = list[np.ndarray]  # each (n, 2): places in parts of the paper's width
_SIDE = 256  # pixels of a picture of the paper
_FINE = 3  # times as fine, before it is made smaller


def flagged_one(random: np.random.Generator) -> Strokes:
    """With a long upstroke, as in Germany."""
    across, down = random.uniform(0.2, 0.32), random.uniform(0.22, 0.36)
    return [np.array([(0.56 - across, 0.22 + down), (0.56, 0.2), (0.57, 0.82)])]


def open_nine(random: np.random.Generator) -> Strokes:
    """Its bowl is open at the top."""
    gap = random.uniform(0.08, 0.16)
    bowl = [(0.62 - gap, 0.24), (0.4, 0.23), (0.33, 0.36), (0.42, 0.5), (0.56, 0.46), (0.64, 0.34)]
    return [np.array([*bowl, (0.65, 0.2)]), np.array([(0.65, 0.2), (0.63, 0.5), (0.54, 0.84)])]


def barred_seven(random: np.random.Generator) -> Strokes:
    """With a bar across its stem."""
    bar = random.uniform(0.48, 0.58)
    return [
        np.array([(0.3, 0.24), (0.7, 0.22), (0.46, 0.82)]),
        np.array([(0.36, bar), (0.7, bar - 0.03)]),
    ]


def four(random: np.random.Generator) -> Strokes:
    """As most people write it."""
    bar = random.uniform(0.54, 0.6)
    return [
        np.array([(0.42, 0.2), (0.32, bar), (0.72, bar)]),
        np.array([(0.6, 0.36), (0.57, 0.84)]),
    ]


WRITERS: dict[str, tuple[int, Callable[[np.random.Generator], Strokes]]] = {
    "flagged one": (1, flagged_one),
    "open nine": (9, open_nine),
    "barred seven": (7, barred_seven),
}


def write(shape: Callable[[np.random.Generator], Strokes], random: np.random.Generator) -> Strokes:
    """Write a digit, each time a little differently: place, size, slant and shake."""
    size, slant = random.uniform(0.8, 1.1, 2), random.normal(0, 0.08)
    place = random.normal(0, 0.03, 2)
    varied = []
    for line in shape(random):
        points = (line - 0.5 + random.normal(0, 0.012, line.shape)) * size
        points[:, 0] -= slant * points[:, 1]
        varied.append(np.clip(points + 0.5 + place, 0.05, 0.95))
    return varied


def draw(page: Page, strokes: Strokes) -> None:
    """Draw strokes on the page of the web app with the mouse, and wait for the answer."""
    page.locator("#sketch").scroll_into_view_if_needed()
    box = page.locator("#sketch").bounding_box()
    assert box is not None
    for line in strokes:
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in line]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=3)
        page.mouse.up()
    page.wait_for_selector("#answer[aria-busy=false]")


def picture(strokes: Strokes, width: float = 0.07) -> np.ndarray:
    """The paper with these strokes, ``(256, 256)`` uint8; the width is part of the paper's."""
    paper = Image.new("L", (_FINE * _SIDE,) * 2, 255)
    draw = ImageDraw.Draw(paper)
    pen = width * _FINE * _SIDE
    for line in strokes:
        points = [tuple(point) for point in line * _FINE * _SIDE]
        draw.line(points, fill=0, width=round(pen), joint="curve")
        for x, y in (points[0], points[-1]):
            draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=0)
    return np.asarray(paper.resize((_SIDE, _SIDE), Image.Resampling.BOX))
