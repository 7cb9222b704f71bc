"""Corrections on the page, in a real browser: by mouse, finger and keyboard, with leave only."""

import base64
import json
import re
import time
from contextlib import contextmanager

import numpy as np
import pytest
from playwright.sync_api import expect

from mnist_kedro.corrections import NO_DIGIT, count_corrections, read_corrections
from tests.support.browser import needs_chromium, page_at
from tests.support.writers import barred_seven, draw, flagged_one, four, write

pytestmark = needs_chromium


@pytest.fixture(autouse=True)
def _nothing_left(keeping):
    """No test depends on what another one left."""
    yield
    for path in keeping.kept.glob("*.json"):
        path.unlink()


@contextmanager
def app(server, width=1280, height=900, **options):
    """The page; nothing may go wrong on it."""
    with page_at(server.address, width, height, **options) as page:
        trouble = []
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.wait_for_selector("#examples button:nth-child(10)")
        expect(page.locator("#teach")).to_be_visible()
        yield page
        page.click("#forget", force=True)
        expect(page.locator("#mine figure")).to_have_count(0)
        assert trouble == []


def labels_of(server):
    return sorted(one["label"] for _, one in read_corrections(server.kept))


def random():
    return np.random.default_rng(3)


def test_nothing_is_kept_without_leave(keeping):
    with app(keeping) as page:
        expect(page.locator("#keep")).not_to_be_checked()
        draw(page, write(four, random()))
        page.click("#labels button[value='9']")
        expect(page.locator("#text")).to_have_text("9")
        expect(page.locator("#verdict")).to_have_text("Corrected to 9")
        expect(page.locator("#said")).to_contain_text("Not saved")
        assert count_corrections(keeping.kept) == 0
        assert page.evaluate("() => localStorage.length") == 0  # no secret either
        page.click("#agree")
        expect(page.locator("#said")).to_contain_text("Saved")
        assert labels_of(keeping) == [9]
        expect(page.locator("#mine figure")).to_have_count(1)
        page.uncheck("#keep")
        page.click("#labels button[value='8']")
        expect(page.locator("#said")).to_contain_text("Not saved")
        assert labels_of(keeping) == [9]


def test_one_of_several_digits_is_corrected_in_two_actions(keeping):
    small = [line * 0.45 for line in write(barred_seven, random())]
    other = [line * 0.45 + 0.5 for line in write(flagged_one, random())]
    with app(keeping) as page:
        page.check("#keep")
        draw(page, small)
        draw(page, other)
        expect(page.locator("#digits button")).to_have_count(2)
        page.click("#digits button:nth-child(2)")
        page.click("#labels button[value='1']")
        expect(page.locator("#said")).to_contain_text("Saved")
        page.click("#digits button:nth-child(1)")
        page.click("#labels button[value='null']")
        expect(page.locator("#mine figure")).to_have_count(2)
        assert labels_of(keeping) == [1, NO_DIGIT]
        expect(page.locator("#text")).to_have_text("?1")
        for _, kept in read_corrections(keeping.kept):
            assert kept["cutting"]


def test_the_keyboard_suffices(keeping):
    with app(keeping) as page:
        page.focus("#keep")
        page.keyboard.press("Space")
        draw(page, write(flagged_one, random()))
        page.focus("#digits button")
        page.keyboard.press("1")
        expect(page.locator("#said")).to_contain_text("Saved")
        assert labels_of(keeping) == [1]
        page.keyboard.press("-")
        expect(page.locator("#text")).to_have_text("?")
        expect(page.locator("#said")).to_contain_text("Saved")
        assert labels_of(keeping) == [NO_DIGIT]
        page.focus("#labels button[value='7']")
        page.keyboard.press("Enter")
        expect(page.locator("#text")).to_have_text("7")


def test_a_finger_suffices(keeping):
    with app(keeping, 390, 844, has_touch=True, is_mobile=True) as page:
        page.tap(".switch")
        page.tap("#examples button:nth-child(4)")
        page.wait_for_selector("#answer[aria-busy=false]")
        page.tap("#labels button[value='8']")
        expect(page.locator("#said")).to_contain_text("Saved")
        assert labels_of(keeping) == [8]
        for button in page.locator("#labels button").all():
            box = button.bounding_box()
            assert min(box["width"], box["height"]) >= 44
        wide = page.evaluate("() => document.documentElement.scrollWidth")
        assert wide <= 390


def test_a_card_asks_for_ten_digits(keeping):
    with app(keeping) as page:
        page.click("#write")
        expect(page.locator("#keep")).to_be_checked()
        for digit in range(10):
            expect(page.locator("#wanted")).to_contain_text(re.compile(f"Write an? {digit} "))
            page.click("#next")
            expect(page.locator("#wanted")).to_have_text(f"Write a single {digit} and nothing else")
            draw(page, write(four, np.random.default_rng(digit)))
            page.click("#next")
        expect(page.locator("#card")).to_be_hidden()
        expect(page.locator("#mine figure")).to_have_count(10)
        assert labels_of(keeping) == [*range(10)]


def test_what_is_kept_can_be_downloaded_and_forgotten(keeping, tmp_path):
    with app(keeping) as page:
        page.check("#keep")
        page.click("#examples button:nth-child(4)")
        page.wait_for_selector("#answer[aria-busy=false]")
        page.click("#labels button[value='5']")
        expect(page.locator("#mine figure")).to_have_count(1)
        with page.expect_download() as download:
            page.click("#download")
        download.value.save_as(tmp_path / "mine.json")
        (mine,) = json.loads((tmp_path / "mine.json").read_text())
        assert mine["label"] == 5
        page.reload()
        expect(page.locator("#mine figure")).to_have_count(1)
        page.click("#forget")
        expect(page.locator("#mine figure")).to_have_count(0)
        expect(page.locator("#keep")).not_to_be_checked()
        assert count_corrections(keeping.kept) == 0


def test_a_half_drawn_digit_is_not_kept(keeping):
    """The answer about the first stroke comes late."""
    with app(keeping) as page:
        page.check("#keep")
        page.route("**/api/read*", lambda route: (time.sleep(0.7), route.continue_()))
        first, second = write(four, random())
        box = page.locator("#sketch").bounding_box()
        for line in (first, second):
            places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in line]
            page.mouse.move(*places[0])
            page.mouse.down()
            page.mouse.move(*places[-1], steps=3)
            page.mouse.up()
            page.wait_for_timeout(900)
        page.mouse.move(*places[0])
        page.mouse.down()
        page.mouse.move(places[0][0] + 90, places[0][1] + 40, steps=3)
        page.mouse.up()
        page.click("#labels button[value='4']")
        expect(page.locator("#mine figure")).to_have_count(1)
        page.wait_for_selector("#answer[aria-busy=false]")
        drawn = keeping.ask("POST", "/api/corrections/mine", {"writer": secret_of(page)})
        pixels = base64.b64decode(drawn.body["corrections"][0]["pixels"])
        shown = page.locator("#digits canvas").evaluate(
            "canvas => [...canvas.getContext('2d').getImageData(0, 0, 28, 28).data]"
            ".filter((_, i) => i % 4 === 0)"
        )
        assert list(pixels) == shown


def secret_of(page):
    return page.evaluate("() => localStorage.getItem('writer')")


def test_the_latest_label_is_kept(keeping):
    with app(keeping) as page:
        page.check("#keep")
        page.click("#examples button:nth-child(4)")
        page.wait_for_selector("#answer[aria-busy=false]")
        late = iter([0.8, 0])
        page.route(
            "**/api/corrections", lambda route: (time.sleep(next(late, 0)), route.continue_())
        )
        page.click("#labels button[value='3']")
        page.click("#labels button[value='5']")
        page.wait_for_timeout(2500)
        assert labels_of(keeping) == [5]


def test_what_was_corrected_before_the_leave_is_kept_with_it(keeping):
    small = [line * 0.45 for line in write(barred_seven, random())]
    other = [line * 0.45 + 0.5 for line in write(flagged_one, random())]
    with app(keeping) as page:
        draw(page, small)
        draw(page, other)
        page.click("#digits button:nth-child(1)")
        page.click("#labels button[value='7']")
        page.click("#digits button:nth-child(2)")
        page.click("#labels button[value='1']")
        page.click("#agree")
        expect(page.locator("#mine figure")).to_have_count(2)
        assert labels_of(keeping) == [1, 7]


def test_a_card_ends_when_the_leave_is_withdrawn(keeping):
    with app(keeping) as page:
        page.click("#write")
        draw(page, write(four, random()))
        page.uncheck("#keep")
        expect(page.locator("#card")).to_be_hidden()
        assert count_corrections(keeping.kept) == 0
        page.check("#keep")
        page.click("#write")
        draw(page, write(four, random()))
        page.click("#next")
        expect(page.locator("#wanted")).to_contain_text("Write a 1")
        expect(page.locator("#undo")).to_be_disabled()  # the digit is not to be kept again


def test_without_storage_digits_are_read_nevertheless(keeping):
    with page_at(keeping.address) as page:
        page.add_init_script(
            "for (const name of ['localStorage', 'sessionStorage'])"
            "  Object.defineProperty(window, name, {get() { throw new Error('blocked'); }});"
        )
        page.reload()
        page.wait_for_selector("#examples button:nth-child(10)")
        page.check("#keep")
        page.click("#examples button:nth-child(4)")
        page.wait_for_selector("#answer[aria-busy=false]")
        page.click("#labels button[value='5']")
        expect(page.locator("#mine figure")).to_have_count(1)
        page.click("#forget")
        expect(page.locator("#mine figure")).to_have_count(0)


def test_it_says_where_corrections_are_kept_and_why_it_cannot_teach(keeping):
    with app(keeping) as page:
        expect(page.locator("#folder")).to_have_text("kept")
        expect(page.locator("#learn")).to_be_hidden()
        expect(page.locator("#told")).to_contain_text("Learning is not available")


def test_a_server_that_keeps_nothing_does_not_offer_it(served):
    with page_at(served.address) as page:
        page.wait_for_selector("#examples button:nth-child(10)")
        page.click("#examples button:nth-child(4)")
        page.wait_for_selector("#answer[aria-busy=false]")
        expect(page.locator("#teach")).to_be_hidden()
        expect(page.locator("#correct")).to_be_hidden()
        expect(page.locator("footer")).to_contain_text("does not save them.", use_inner_text=True)
