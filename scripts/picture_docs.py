"""Make the pictures of the documentation from the latest outputs in data/.

    kedro run
    kedro run --pipelines data_quality
    kedro run --to-outputs figures.ink --params ink_finder.pages=100
    python scripts/picture_docs.py

It makes report.png, data_quality.png, training_curves.png and ink.png. Those of teaching are made
by picture_teaching.py.
"""

import shutil
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image

sys.path.append(str(Path(__file__).parents[1]))

from tests.support.browser import page_at

ROOT = Path(__file__).parents[1]
REPORTING = ROOT / "data" / "08_reporting"
IMAGES = ROOT / "docs" / "images"
WIDTH, HEIGHT = 1200, 820  # pixels of a page


def main() -> None:
    """Take pictures of the first screens of both pages, and copy two figures."""
    for name in ("report", "data_quality"):
        address = latest(f"{name}.html").as_uri()
        with page_at(address, WIDTH, HEIGHT, color_scheme="light") as page:
            pixels = Image.open(BytesIO(page.screenshot())).convert("RGB")
        pixels.quantize(256).save(IMAGES / f"{name}.png", optimize=True)
    for name in ("training_curves", "ink"):
        shutil.copy(latest(f"{name}.png"), IMAGES)


def latest(name: str) -> Path:
    """Return the latest version of a file."""
    return max((REPORTING / name).glob(f"*/{name}"))


if __name__ == "__main__":
    main()
