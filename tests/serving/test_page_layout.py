"""The layout of the page, in a real browser: phones to desktops, light and dark, in all states."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.support.browser import needs_chromium, page_at
from tests.support.pictures import letter, saved
from tests.support.server import Server

pytestmark = needs_chromium

SIZES = [(320, 568), (360, 640), (390, 844), (430, 932), (768, 1024), (1440, 900)]
TAP_TARGETS = "button, label.button, label.switch, input[type=range]"
BROKEN_NUMBERS = r"""() => {
  const numbers = /(>\s)?\d[\d.,:-]*(\s?%|\sms|\s×\s\d+)?/g;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const broken = [];
  while (walker.nextNode()) {
    const { currentNode: node } = walker;
    for (const { 0: number, index } of node.data.matchAll(numbers)) {
      const range = document.createRange();
      range.setStart(node, index);
      range.setEnd(node, index + number.length);
      const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)));
      if (lines.size > 1) broken.push(number);
    }
  }
  return broken;
}"""


def open_picture(page: Page, picture: np.ndarray) -> None:
    file = {"name": "picture.png", "mimeType": "image/png", "buffer": saved(picture)}
    with page.expect_response("**/api/read*"):  # the page is busy until it has shown the answer
        page.set_input_files("#file", [file])
    page.wait_for_selector("#answer[aria-busy=false]")


def choose_example(page: Page) -> None:
    page.click("#examples button:nth-child(4)")
    page.wait_for_selector("#answer[aria-busy=false]")


def correct_digit(page: Page) -> None:
    page.check("#keep")
    choose_example(page)
    page.click("#labels button[value='5']")
    expect(page.locator("#mine figure")).not_to_have_count(0)


@pytest.fixture(scope="module")
def states(digits) -> dict[str, Callable[[Page], None]]:
    """Return what brings a new page to each of its states."""
    images = np.asarray(digits["images"])[..., 0]
    row = lambda count: 255 - np.kron(np.hstack(images[:count]), np.ones((4, 4), np.uint8))  # noqa: E731
    return {
        "empty": lambda page: None,
        "one digit": choose_example,
        "four digits": lambda page: open_picture(page, row(4)),
        "twelve digits": lambda page: open_picture(page, row(12)),
        "no digit": lambda page: open_picture(page, letter("R")),
        "corrected": correct_digit,
        "card": lambda page: page.click("#write"),
    }


def visit(
    server: Server, states: dict[str, Callable[[Page], None]], width: int, height: int, **options
) -> Iterator[tuple[str, Page]]:
    """Yield the name of each state with the page in this state."""
    with page_at(server.address, width, height, **options) as page:
        page.wait_for_selector("#examples button:nth-child(10)")
        expect(page.locator("#teach")).to_be_visible()
        for state, reach in states.items():
            reach(page)
            if state != "card":  # which scrolls to the drawing itself
                page.evaluate("scrollTo(0, 0)")
            yield state, page
        page.click("#stop")
        page.click("#forget")
        expect(page.locator("#mine figure")).to_have_count(0)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_everything_fits_in_all_states(keeping, states, width, height):
    """Nothing is cut off, no number wraps, and fingers hit each target."""
    for state, page in visit(keeping, states, width, height):
        assert page.evaluate("document.documentElement.scrollWidth") <= width, state
        assert page.evaluate(BROKEN_NUMBERS) == [], state
        for part in ("#sketch", "#text", "#verdict"):
            box = page.locator(part).bounding_box()
            assert 0 <= box["y"] <= box["y"] + box["height"] <= height, (state, part)
        for target in page.locator(TAP_TARGETS).filter(visible=True).all():
            box = target.bounding_box()
            text = target.text_content() or target.get_attribute("id")
            assert min(box["width"], box["height"]) >= 44, (state, text)


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1440, 900)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_all_states(keeping, states, width, height, scheme):
    options = {"color_scheme": scheme, "bypass_csp": True}
    for state, page in visit(keeping, states, width, height, **options):
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, background[4:-1].split(", "))) > 380) == (scheme == "light")
        violations = Axe().run(page).response["violations"]
        assert [(one["impact"], one["id"]) for one in violations] == [], state


@pytest.mark.parametrize(("width", "height"), [(320, 454), (390, 664), (844, 390), (1440, 500)])
def test_the_answer_is_in_view_in_short_windows(keeping, width, height):
    """A browser's bars leave less of a phone's screen, and phones can be turned."""
    with page_at(keeping.address, width, height) as page:
        page.wait_for_selector("#examples button:nth-child(10)")
        for part in ("#sketch", "#text", "#verdict"):
            box = page.locator(part).bounding_box()
            assert box["y"] + box["height"] <= height, part


def test_no_width_between_phones_and_desktops_overflows(keeping, states):
    with page_at(keeping.address, 320, 900) as page:
        page.wait_for_selector("#examples button:nth-child(10)")
        states["four digits"](page)
        for width in range(320, 1441, 20):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(BROKEN_NUMBERS) == [], width
