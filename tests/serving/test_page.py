"""The page in a real browser, on a server that made its model itself, from a fresh clone."""

import base64
import re
from contextlib import contextmanager

import h5py
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.support.browser import needs_chromium, page_at
from tests.support.handwriting import strokes
from tests.support.paths import FULL_MNIST, ROOT
from tests.support.pictures import letter, photograph, saved
from tests.support.project import Project
from tests.support.server import FIRST, SECOND, serving

HAS_MNIST = FULL_MNIST.is_dir()
CELL = 0.027  # of the paper's width, for one of MNIST's pixels


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    project = Project.clone(tmp_path_factory.mktemp("app") / "project")
    # All of MNIST where it lies beside, three times; else the sample, as often as always.
    source, epochs = (FULL_MNIST, "{epochs: 3}") if HAS_MNIST else ("sample", "{}")
    (project.folder / "conf" / "local" / "parameters.yml").write_text(
        f"ingestion: {{source: {source}}}\ntraining: {epochs}\n"
    )
    with serving(project.folder) as server:
        server.folder = project.folder
        yield server


@pytest.fixture(scope="module")
def test_digits(server):
    (path,) = server.folder.glob("data/05_model_input/test.hdf5/*/test.hdf5")
    with h5py.File(path) as file:
        return file["images"][..., 0], file["labels"][:]


@pytest.fixture
def page(server):
    with app_at(server) as page:
        yield page


@contextmanager
def app_at(server):
    """The page in a browser; nothing may go wrong on it."""
    with page_at(server.address, 1280, 900) as page:
        trouble = []
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.wait_for_selector("#examples button:nth-child(10)")
        yield page
        assert trouble == []


def answer(page):
    page.wait_for_selector("#answer[aria-busy=false]")
    return page.text_content("#text")


def draw(page, *points):
    """A stroke through places in parts of the paper's width."""
    box = page.locator("#sketch").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place)
    page.mouse.up()


def predict(server, files):
    """The predictions for picture files, sent in one request."""
    body = {"pictures": [base64.b64encode(file).decode() for file in files]}
    return server.ask("POST", "/api/predict_batch", body).body["predictions"]


def seven(page):
    draw(page, (0.3, 0.25), (0.5, 0.25), (0.68, 0.25), (0.58, 0.5), (0.48, 0.8))


@needs_chromium
def test_the_page_follows_the_model_and_names_its_training_data(export, exported, tmp_path):
    """Start without a model, take the first, and learn of the second from an answer."""
    file, description = exported
    canonical = {"source": "download", "canonical_mnist": True}
    command = ("--models", str(tmp_path / "06_models"))
    with serving(ROOT, *command) as server, page_at(server.address) as page:
        expect(page.locator("#verdict")).to_contain_text("No model 'cnn' to serve yet")
        export(FIRST, file, {**description, "data": {}})
        model, examples = page.locator("#model"), page.locator("#examples button")
        expect(model).to_contain_text("CNN, trained on unknown data, reads ")
        expect(page.locator("#version")).to_have_text(f"cnn {FIRST}")
        expect(examples).to_have_count(10)
        expect(page.locator("#verdict")).to_contain_text("Draw a digit")
        known = {"data": canonical, "training_record": {"training_digits": 55_000}}
        export(SECOND, file, {**description, **known, "accuracy": 0.9967, "test_digits": 10_000})
        server.program.wait_for(f"Serving model cnn {SECOND}")
        seven(page)
        expect(model).to_have_text(
            "CNN, trained on 55,000 MNIST digits, reads 99.67% of 10,000 test digits correctly"
        )
        expect(page.locator("#version")).to_have_text(f"cnn {SECOND}")
        expect(page.locator("#interval")).to_have_text(re.compile(r"[\d.]+% to [\d.]+%"))
        expect(examples).to_have_count(10)


@needs_chromium
def test_a_seven_that_is_drawn_is_classified(served):
    """Draw with the mouse, and choose a test digit."""
    with app_at(served) as page:
        assert "trained on a small sample of MNIST, reads" in page.text_content("#model")
        seven(page)
        assert answer(page) == "7"
        page.click("#examples button:nth-child(4)")
        assert answer(page) == "3"


@pytest.mark.slow
def test_on_a_fresh_clone_it_first_trains_on_the_data_at_hand(server):
    told = "\n".join(server.program.lines)
    assert "No exported model 'cnn' found: training one from the data at hand" in told
    assert "Serving model cnn" in told
    assert server.ask("GET", "/api/model").body["data"]["canonical_mnist"] == HAS_MNIST


@pytest.mark.slow
def test_pictures_of_the_test_digits_are_read_as_the_pipeline_does(server, test_digits):
    images, labels = test_digits
    answers = [
        one["digit"]
        for start in range(0, len(images), 500)
        for one in predict(server, map(saved, images[start : start + 500]))
    ]
    right = np.mean(np.array(answers) == labels)
    assert right == server.ask("GET", "/api/model").body["accuracy"]
    assert right > (0.99 if HAS_MNIST else 0.98)


@pytest.mark.slow
def test_photographs_are_read(server, test_digits):
    images, labels = test_digits
    rng = np.random.default_rng(0)
    photos = [saved(photograph(image, rng), "JPEG") for image in images[:500]]
    answers = [
        one
        for start in range(0, 500, 100)  # a request may have so many pixels only
        for one in predict(server, photos[start : start + 100])
    ]
    right = [one.get("digit") == label for one, label in zip(answers, labels, strict=False)]
    assert np.mean(right) >= 0.95


@pytest.mark.slow
@needs_chromium
def test_test_digits_are_read_as_drawings_and_as_files(page, test_digits):
    images, labels = test_digits[0][:60], test_digits[1][:60].astype(str)
    drawn, opened = [], []
    for image in images:
        for stroke in strokes(image):
            draw(page, *((0.12 + CELL * x, 0.12 + CELL * y) for x, y in stroke))
        drawn.append(answer(page))
        page.click("#clear")
        file = {"name": "digit.png", "mimeType": "image/png", "buffer": saved(image)}
        with page.expect_response("**/api/read*"):  # the page is busy until it has shown it
            page.set_input_files("#file", [file])
        opened.append(answer(page))
        page.click("#clear")
    assert (np.array(drawn) == labels).sum() >= (58 if HAS_MNIST else 55)
    assert (np.array(opened) == labels).sum() >= 58


@pytest.mark.slow
@needs_chromium
def test_it_reads_while_one_draws(page):
    """Answers come before the pen is lifted, one request at a time."""
    asked, answered = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("response", lambda response: answered.append(len(asked) - len(answered)))
    box = page.locator("#sketch").bounding_box()
    place = lambda x, y: (box["x"] + x * box["width"], box["y"] + y * box["height"])  # noqa: E731
    page.mouse.move(*place(0.5, 0.2))
    page.mouse.down()
    for i in range(30):
        page.mouse.move(*place(0.5, 0.2 + 0.02 * i))
        page.wait_for_timeout(15)
    expect(page.locator("#text")).to_have_text("1")
    assert len(asked) >= 2  # while the pen is down
    page.mouse.up()
    assert answer(page) == "1"
    assert max(answered) == 1


@pytest.mark.slow
@needs_chromium
def test_an_answer_about_a_drawing_that_is_gone_is_dropped(page):
    page.route("**/api/read*", lambda route: (page.wait_for_timeout(300), route.continue_())[1])
    seven(page)
    page.click("#clear")
    page.wait_for_selector("#answer[aria-busy=false]")
    assert page.text_content("#text") == "–"
    assert page.is_visible("#hint")


@pytest.mark.slow
@needs_chromium
def test_undo_and_clear(page):
    seven(page)
    assert answer(page) == "7"
    page.keyboard.press("Delete")
    assert answer(page) == "–"
    page.keyboard.press("Control+z")
    assert answer(page) == "7"
    page.click("#undo")
    assert answer(page) == "–"
    assert page.is_disabled("#undo")
    assert page.is_disabled("#clear")


@pytest.mark.slow
@needs_chromium
def test_several_digits_are_read_in_order_and_shown_apart(page):
    draw(page, (0.15, 0.3), (0.15, 0.7))
    draw(page, (0.4, 0.3), (0.55, 0.3), (0.6, 0.3), (0.55, 0.5), (0.48, 0.7))
    draw(page, (0.85, 0.3), (0.85, 0.7))
    assert answer(page) == "171"
    buttons = page.locator("#digits button")
    assert buttons.count() == 3
    buttons.nth(1).click()
    assert page.text_content("#bars .first span") == "7"
    assert buttons.nth(1).get_attribute("aria-pressed") == "true"


@pytest.mark.slow
@needs_chromium
def test_with_the_keyboard_alone(page):
    page.focus("#sketch")
    page.keyboard.press("Space")
    for _ in range(20):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    assert answer(page) == "1"
    expect(page.locator("#live")).to_contain_text("1. ")


@pytest.mark.slow
@needs_chromium
def test_what_it_is_not_sure_of_is_said(page, server):
    threshold = server.ask("GET", "/api/model").body["confidence_threshold"]
    draw(page, (0.2, 0.2), (0.8, 0.8))
    draw(page, (0.2, 0.8), (0.8, 0.2))
    draw(page, (0.5, 0.1), (0.5, 0.9))
    answer(page)
    verdict = page.text_content("#verdict")
    if page.text_content("#text") == "?":
        assert "Probably not a digit" in verdict
        assert page.locator(".unsure").count() == 2
        return
    assert page.locator(".unsure").count() == (2 if "ot sure" in verdict else 0)
    probable = float(page.text_content("#bars .first .share").strip("> %"))
    assert ("ot sure" in verdict) == (probable < 100 * threshold)


@pytest.mark.slow
@needs_chromium
def test_a_letter_is_said_to_be_no_digit(page):
    picture = {"name": "R.png", "mimeType": "image/png", "buffer": saved(letter("R"))}
    page.set_input_files("#file", picture)
    expect(page.locator("#verdict")).to_contain_text("Probably not a digit")
    expect(page.locator("#digits button.strange")).to_have_count(1)


def test_a_test_digit_is_seen_by_the_network_bit_for_bit(page, server):
    example = server.ask("GET", "/api/model").body["examples"][3]
    page.click("#examples button:nth-child(4)")
    answer(page)
    shown = page.evaluate(
        "() => { const c = document.querySelector('#digits canvas');"
        "return [...c.getContext('2d').getImageData(0, 0, 28, 28).data] }"
    )[::4]
    assert bytes(shown) == base64.b64decode(example["pixels"])


@pytest.mark.slow
@needs_chromium
def test_a_large_photograph_is_made_smaller_before_it_is_sent(page, test_digits):
    image = np.kron(255 - test_digits[0][0], np.ones((70, 70), np.uint8))
    noise = np.random.default_rng(0).integers(0, 20, image.shape)
    photo = saved(Image.fromarray(np.clip(image.astype(int) - noise, 0, 255).astype(np.uint8)))
    assert len(photo) > 1_000_000
    with page.expect_request("**/api/read?ink=true") as sent:
        page.set_input_files("#file", [{"name": "a.png", "mimeType": "image/png", "buffer": photo}])
    assert sent.value.sizes()["requestBodySize"] < 1_500_000
    assert answer(page) == str(test_digits[1][0])


@pytest.mark.slow
@needs_chromium
def test_the_ink_that_was_found_is_shown_over_a_picture(page, test_digits):
    photo = saved(255 - np.kron(test_digits[0][0], np.ones((8, 8), np.uint8)) // 2)
    with page.expect_response("**/api/read*"):  # The page is not busy before it has read the file.
        page.set_input_files("#file", [{"name": "a.png", "mimeType": "image/png", "buffer": photo}])
    assert answer(page) == str(test_digits[1][0])
    page.wait_for_function(
        "() => { const c = document.querySelector('#sketch');"
        "const { data } = c.getContext('2d').getImageData(0, 0, c.width, c.height);"
        "let red = 0;"
        "for (let i = 0; i < data.length; i += 4) red += data[i] - data[i + 2] > 80;"
        "return red > 1000; }"
    )


@pytest.mark.slow
@needs_chromium
def test_what_is_no_picture_is_said(page):
    file = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"not a picture"}
    page.set_input_files("#file", [file])
    expect(page.locator("#verdict")).to_contain_text("cannot open notes.txt")


@pytest.mark.slow
@needs_chromium
def test_nothing_is_loaded_from_elsewhere(server):
    with page_at("about:blank") as page:
        urls = []
        page.on("request", lambda request: urls.append(request.url))
        page.goto(server.address)
        page.wait_for_selector("#examples button:nth-child(10)")
        seven(page)
        answer(page)
        assert len(urls) > 8
        assert all(url.startswith((server.address, "blob:")) for url in urls)


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize("kind", ["touch", "pen"])
def test_with_a_finger_or_a_pen(server, kind):
    with page_at(server.address, 390, 844, has_touch=True) as page:
        page.wait_for_selector("#examples button:nth-child(10)")
        box = page.locator("#sketch").bounding_box()
        devtools = page.context.new_cdp_session(page)

        def send(phase, x, y):
            place = {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}
            if kind == "touch":
                points = [] if phase == "End" else [place]
                devtools.send(
                    "Input.dispatchTouchEvent", {"type": f"touch{phase}", "touchPoints": points}
                )
            else:
                name = {"Start": "mousePressed", "Move": "mouseMoved", "End": "mouseReleased"}
                how = {"button": "left", "buttons": 1, "clickCount": 1, "pointerType": "pen"}
                devtools.send("Input.dispatchMouseEvent", {"type": name[phase], **place, **how})

        send("Start", 0.3, 0.25)
        for x, y in [(0.5, 0.25), (0.68, 0.25), (0.58, 0.5), (0.48, 0.8)]:
            send("Move", x, y)
        send("End", 0.48, 0.8)
        assert answer(page) == "7"
        assert page.evaluate("scrollY") == 0
