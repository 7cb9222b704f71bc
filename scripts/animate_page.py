"""Make the first picture of README.md: the page reads a number, and a correction of a digit.

    make app        # in one terminal, with a network that was trained on MNIST
    python scripts/animate_page.py http://127.0.0.1:8000

It keeps one correction on that server, and forgets it.
"""

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from playwright.sync_api import Page
from scipy.interpolate import make_interp_spline

sys.path.append(str(Path(__file__).parents[1]))

from tests.support.browser import page_at

FILE = Path(__file__).parents[1] / "docs" / "images" / "page.webp"
WIDTH, HEIGHT, SCALE = 1056, 810, 1.5  # CSS pixels of the page; pixels of the picture for each
BRUSH = "6"  # percent of the paper's width
STEP, STEPS = 0.015, 4  # how far the pen moves, in parts of the paper's width; steps for each frame
FRAME, BREAK, PAUSE, END = 60, 250, 1000, 1600  # milliseconds
POINTER = np.array([(0, 0), (0, 17), (4, 13), (7, 20), (10, 19), (7, 12), (12, 12)])

Points = NDArray[np.floating]  # (n, 2) or (2,): x and y
Pair = tuple[float, float]
Strokes = list[list[list[Pair]]]
Frame = tuple[Image.Image, int]  # and for how many milliseconds it is shown

# Each stroke is a list of smooth curves, and each curve a list of points on it, in a box of 1 × 1.
THREE = [
    [
        [(0.1, 0.14), (0.45, 0), (0.84, 0.2), (0.7, 0.42), (0.36, 0.48)],
        [(0.36, 0.48), (0.75, 0.52), (0.94, 0.76), (0.55, 1), (0.04, 0.88)],
    ]
]
ONE = [[[(0.34, 0.1), (0.45, 0.06), (0.55, 0)], [(0.55, 0), (0.53, 0.5), (0.5, 1)]]]
FOUR = [
    [[(0.5, 0), (0.32, 0.3), (0.05, 0.64)], [(0.05, 0.64), (0.5, 0.66), (1, 0.62)]],
    [[(0.74, 0.34), (0.72, 0.65), (0.68, 1)]],
]
FLAGGED_ONE = [[[(-0.15, 0.4), (0.3, 0.2), (0.6, 0)], [(0.6, 0), (0.62, 0.5), (0.6, 1)]]]


def main(address: str) -> None:
    """Draw a one that is read as a seven, correct it, and draw 314."""
    with page_at(address, WIDTH, HEIGHT, device_scale_factor=SCALE, color_scheme="light") as page:
        page.wait_for_selector("#examples button:nth-child(10)")
        page.locator("#brush").fill(BRUSH)
        page.check("#keep")
        page.evaluate("scrollTo(0, 0)")
        corrected = [*draw(page, FLAGGED_ONE, (0.32, 0.2), (0.4, 0.6)), take(page, PAUSE)]
        corrected.append(take(page, BREAK, click(page, "#labels button[value='1']")))
        corrected.append(take(page, END))
        page.click("#clear")
        number = []
        for digit, left in ((THREE, 0.08), (ONE, 0.36), (FOUR, 0.62)):
            number += [*draw(page, digit, (left, 0.3), (0.28, 0.4)), take(page, BREAK)]
        number.append(take(page, END))
        page.click("#forget")
    # The last frame is first: it is what shows where animations are off.
    save([number.pop(), *corrected, *number])


def draw(page: Page, digit: Strokes, corner: Pair, size: Pair) -> Iterator[Frame]:
    """Draw a digit with the mouse, and take frames meanwhile.

    Args:
        page: of the web app.
        digit: its strokes.
        corner: the upper left corner of its box, in parts of the paper's width.
        size: the width and height of its box, in the same unit.
    """
    paper, paper_size = find(page, "#sketch")
    for stroke in digit:
        path = np.concatenate([smooth(np.array(curve) * size + corner) for curve in stroke])
        places = path * paper_size + paper
        page.mouse.move(*places[0])
        page.mouse.down()
        for step, place in enumerate(places[1:], 1):
            page.mouse.move(*place)
            if step % STEPS == 0:
                yield take(page, FRAME, place)
        page.mouse.up()
    page.wait_for_selector("#answer[aria-busy=false]")


def click(page: Page, target: str) -> Points:
    """Click an element, and return a place on it in CSS pixels where a pointer hides no text."""
    page.click(target)
    corner, size = find(page, target)
    return corner + 0.65 * size


def find(page: Page, target: str) -> tuple[Points, Points]:
    """Return the upper left corner and the size of an element, in CSS pixels."""
    box = page.locator(target).evaluate("element => element.getBoundingClientRect().toJSON()")
    return np.array([box["x"], box["y"]]), np.array([box["width"], box["height"]])


def smooth(points: Points) -> Points:
    """Return the points at every ``STEP`` of a smooth curve through the given points."""
    curve = make_interp_spline(np.arange(len(points)), points, k=2)
    fine = curve(np.linspace(0, len(points) - 1, 200))
    lengths = np.append(0, np.linalg.norm(np.diff(fine, axis=0), axis=1).cumsum())
    steps = np.linspace(0, lengths[-1], round(lengths[-1] / STEP) + 1)
    return np.column_stack([np.interp(steps, lengths, fine[:, axis]) for axis in (0, 1)])


def take(page: Page, milliseconds: int, pointer: Points | None = None) -> Frame:
    """Return a picture of the page, with the mouse pointer at a place in CSS pixels."""
    page.wait_for_timeout(milliseconds)
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    if pointer is not None:
        corners = [tuple(corner) for corner in (POINTER + pointer) * SCALE]
        ImageDraw.Draw(picture).polygon(corners, "black", "white", width=2)
    return picture, milliseconds


def save(frames: list[Frame]) -> None:
    """Save an animation that repeats forever."""
    pictures, durations = zip(*frames, strict=True)
    options = {"save_all": True, "append_images": pictures[1:], "duration": durations, "loop": 0}
    pictures[0].save(FILE, lossless=True, method=4, **options)
    seconds = sum(durations) / 1000
    print(f"{FILE.name}: {len(frames)} frames, {seconds:.1f} s, {FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
