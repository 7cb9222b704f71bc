"""Make the pictures of docs/teaching.md: correct digits on the page, teach the network, look at it.

    make app        # in one terminal, with a network that was trained on MNIST
    python scripts/picture_teaching.py http://127.0.0.1:8000

It keeps corrections on that server, teaches its network, takes that back, and forgets them.
"""

import sys
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from playwright.sync_api import Page

sys.path.append(str(Path(__file__).parents[1]))

from tests.support.browser import page_at
from tests.support.writers import WRITERS, draw, write

FOLDER = Path(__file__).parents[1] / "docs" / "images"
SEED = 5
MARGIN = 20  # pixels
PAPER = "#f6f6f4"  # of the page
LEARNED = 300_000  # milliseconds, at most


def main(address: str) -> None:
    """Go the whole way, with a picture of each stage."""
    random = np.random.default_rng(SEED)
    with page_at(address, 1080, 900, color_scheme="light") as page:
        page.wait_for_selector("#examples button:nth-child(10)")
        page.check("#keep")
        for label, shape in [WRITERS["flagged one"], WRITERS["open nine"]] * 10:
            page.click("#clear", force=True)
            draw(page, write(shape, random))
            if label == 9 or page.text_content("#text") != "7":
                continue  # the picture shows a flagged one that is read as a seven
            page.click(f"#labels button[value='{label}']")
            save(page, "main", "teaching_correct.png")
            break
        for label, shape in [WRITERS[name] for name in WRITERS] * 7:
            page.click("#clear", force=True)
            draw(page, write(shape, random))
            page.click(f"#labels button[value='{label}']")
            page.wait_for_timeout(300)
        page.click("#learn")
        page.wait_for_selector("#outcome:not([hidden])", timeout=LEARNED)
        page.wait_for_timeout(1000)
        save(page, "#teach", "teaching_learned.png")
        if page.is_visible("#back"):
            page.click("#back")
        page.click("#forget")
        page.wait_for_timeout(1000)


def save(page: Page, part: str, name: str) -> None:
    """Save a picture of a part of the page, with a margin."""
    page.wait_for_timeout(600)
    picture = Image.open(BytesIO(page.locator(part).screenshot())).convert("RGB")
    ImageOps.expand(picture, MARGIN, PAPER).save(FOLDER / name)


if __name__ == "__main__":
    main(*sys.argv[1:])
