"""From a correction in a real browser to a network that has earned its place, trained for real."""

import threading
import time

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.support.browser import needs_chromium, page_at
from tests.support.paths import FULL_MNIST, PATIENCE
from tests.support.pictures import saved
from tests.support.project import Project
from tests.support.server import serving
from tests.support.writers import WRITERS, draw, four, picture, write

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FULL_MNIST.is_dir(), reason="the full MNIST is not here"),
]
FOLDER = "data/01_raw/corrections"
LEARNED = 1000 * PATIENCE  # milliseconds; the machine may be busy with other tests


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    project = Project.clone(tmp_path_factory.mktemp("teaching") / "project")
    (project.folder / "conf" / "local" / "parameters.yml").write_text(
        f"ingestion: {{source: {FULL_MNIST}}}\ntraining: {{epochs: 4}}\n"
    )
    with serving(project.folder, "--corrections", FOLDER) as server:
        server.folder = project.folder
        yield server


def read(server, pictures):
    """The digits of pictures of one digit each."""
    return [server.ask("POST", "/api/predict", saved(one)).body["digit"] for one in pictures]


class Load(threading.Thread):
    """Steady requests, so many a second; each has to be answered."""

    def __init__(self, server, body, rate):
        super().__init__(daemon=True)
        self.server, self.body, self.rate = server, body, rate
        self.statuses, self.ended = [], threading.Event()

    def run(self):
        while not self.ended.wait(1 / self.rate):
            self.statuses.append(self.server.ask("POST", "/api/predict", self.body).status)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join(30)


def teach(server, corrections):
    """Send corrections as a program, let the server learn, and return the decision."""
    for pixels, label in corrections:
        body = {"pixels": pixels, "label": int(label), "writer": "a program's secret"}
        assert server.ask("POST", "/api/corrections", body).status == 200
    assert server.ask("POST", "/api/teaching", {}).status == 200
    end = time.monotonic() + LEARNED / 1000
    while time.monotonic() < end:
        state = server.ask("GET", "/api/teaching").body
        if state["state"] != "running":
            break
        time.sleep(0.5)
    server.ask(
        "DELETE", "/api/corrections", '{"writer": "a program\'s secret"}', "application/json"
    )
    assert state["state"] in ("promoted", "refused"), state
    return state["outcome"]


@needs_chromium
def test_a_writer_teaches_it_and_takes_it_back(server):
    random = np.random.default_rng(1)
    shapes = [WRITERS[name] for name in WRITERS] * 7
    others = [(label, picture(write(shape, random))) for label, shape in shapes * 5][:100]
    labels, pictures = [label for label, _ in others], [one for _, one in others]
    before = read(server, pictures)
    accuracy = server.ask("GET", "/api/model").body["accuracy"]
    version = server.ask("GET", "/api/model").body["version"]
    with page_at(server.address, 1280, 900) as page:
        trouble = []
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.wait_for_selector("#examples button:nth-child(10)")
        page.check("#keep")
        for label, shape in shapes[:20]:
            page.click("#clear", force=True)
            draw(page, write(shape, random))
            page.click(f"#labels button[value='{label}']")
            expect(page.locator("#said")).to_have_text("Saved: the network can learn from it.")
        expect(page.locator("#mine figure")).to_have_count(20)
        with Load(server, saved(pictures[0]), rate=20) as load:
            page.click("#learn")
            expect(page.locator("#learning")).to_be_visible()
            page.wait_for_selector("#outcome:not([hidden])", timeout=LEARNED)
        assert load.statuses == [200] * len(load.statuses)
        expect(page.locator("#result")).to_contain_text("has learned and is used now")
        expect(page.locator("#legend")).to_be_visible()
        assert page.locator("#mine figure.right").count() >= 18  # by networks not taught them
        expect(page.locator("#mine")).to_contain_text("7 → 1")
        expect(page.locator("#version")).not_to_contain_text(version)
        after = read(server, pictures)
        assert np.mean(np.array(after) == labels) >= 0.9 > np.mean(np.array(before) == labels)
        assert server.ask("GET", "/api/model").body["accuracy"] >= accuracy - 0.001
        page.click("#back")
        expect(page.locator("#result")).to_contain_text("another one is used now")
        assert server.ask("GET", "/api/model").body["version"] == version
        assert read(server, pictures) == before
        page.click("#forget")
        expect(page.locator("#mine figure")).to_have_count(0)
        assert trouble == []


def test_it_can_be_cancelled(server):
    random = np.random.default_rng(4)
    version = server.ask("GET", "/api/model").body["version"]
    for number in range(12):
        drawn = server.ask("POST", "/api/predict", saved(picture(write(four, random)))).body
        body = {"pixels": drawn["input"], "label": number % 10, "writer": "a program's secret"}
        server.ask("POST", "/api/corrections", body)
    assert server.ask("POST", "/api/teaching", {}).body["state"] == "running"
    assert server.ask("POST", "/api/teaching", {}).status == 409
    end = time.monotonic() + 60
    while server.ask("GET", "/api/teaching").body["done"] < 0.1 and time.monotonic() < end:
        time.sleep(0.2)
    server.ask("DELETE", "/api/teaching", "{}", "application/json")
    while (state := server.ask("GET", "/api/teaching").body["state"]) == "running":
        assert time.monotonic() < end + 60
        time.sleep(0.2)
    assert state == "cancelled"
    server.ask(
        "DELETE", "/api/corrections", '{"writer": "a program\'s secret"}', "application/json"
    )
    assert server.ask("GET", "/api/model").body["version"] == version


@pytest.mark.parametrize("kind", ["labels at random", "every four called a nine"])
def test_what_makes_no_sense_is_not_learned(server, kind):
    random = np.random.default_rng(2)
    version = server.ask("GET", "/api/model").body["version"]
    if kind == "labels at random":
        shapes = [*[shape for _, shape in WRITERS.values()], four] * 50
        labels = random.integers(0, 10, len(shapes))
    else:
        shapes, labels = [four] * 100, [9] * 100
    drawn = [server.ask("POST", "/api/predict", saved(picture(write(s, random)))) for s in shapes]
    outcome = teach(server, zip([one.body["input"] for one in drawn], labels, strict=True))
    assert not outcome["promoted"]
    assert outcome["reason"]
    assert server.ask("GET", "/api/model").body["version"] == version
