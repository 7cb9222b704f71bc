"""A real browser, for tests of what people look at."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_CHROMIUM = next(filter(None, map(shutil.which, _NAMES)), None)
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
expect.set_options(timeout=30_000)  # milliseconds, as for all else that is waited for
needs_chromium = pytest.mark.skipif(_CHROMIUM is None, reason="no Chromium is installed")


@contextmanager
def page_at(address: str, width: int = 1600, height: int = 1000, **options: Any) -> Iterator[Page]:
    """A page of this size, in pixels, that shows an address."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_FLAGS)
        page = browser.new_page(viewport={"width": width, "height": height}, **options)
        page.goto(address)
        yield page
        browser.close()
