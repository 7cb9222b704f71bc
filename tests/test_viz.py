"""Kedro-Viz of a project after its first run: the static site and the server, in a real browser."""

import functools
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser import needs_chromium, page_at
from tests.conftest import PATIENCE, environment, kedro
from tests.test_catalog import TO_LOOK_AT

PREVIEWS = {
    "mnist": "ImagePreview",
    "train": "ImagePreview",
    "confusion_matrix": "ImagePreview",
    "cnn.model": "TablePreview",
    "cnn.predictions": "TablePreview",
    "cnn.history": "JSONPreview",
    "metrics": "JSONPreview",
    "model_card": "HTMLPreview",
    "report": "HTMLPreview",
}


@pytest.fixture(scope="module")
def project(smoke_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose main data is what the smoke run made: `viz build` takes no environment."""
    project = tmp_path_factory.mktemp("viz") / "project"
    shutil.copytree(smoke_project, project, ignore=shutil.ignore_patterns("data"))
    shutil.copytree(smoke_project / "data" / "smoke", project / "data")
    return project


@pytest.fixture(scope="module")
def site(project: Path) -> Path:
    finished = kedro(project, "viz", "build", "--include-hooks", "--include-previews")
    assert finished.returncode == 0, finished.stderr
    return project / "build"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@contextmanager
def viz_server(project: Path) -> Iterator[str]:
    """`kedro viz run`, as `make viz` starts it, on a free port."""
    port = next(filter(is_free, range(4141, 5000)))
    address = f"http://127.0.0.1:{port}/"
    command = [
        "-m",
        "kedro",
        "viz",
        "run",
        "--include-hooks",
        "--no-browser",
        "--host",
        "127.0.0.1",
    ]
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(
            [sys.executable, *command, "--host", "127.0.0.1", "--port", str(port)],
            cwd=project,
            env=environment(project),
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as server,
    ):
        try:
            assert is_up(server, address), (log.seek(0), log.read())
            yield address
        finally:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)  # it serves from a child process


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def is_up(server: subprocess.Popen[bytes], address: str) -> bool:
    for _ in range(2 * PATIENCE):
        try:
            with urllib.request.urlopen(f"{address}api/version", timeout=5):
                return True
        except OSError:
            if server.poll() is not None:
                return False
            time.sleep(0.5)
    return False


@contextmanager
def flow_chart_at(address: str) -> Iterator[Page]:
    with page_at(address) as page:
        page.wait_for_selector(".pipeline-node")
        yield page


def node_ids(site: Path) -> dict[str, str]:
    nodes = json.loads((site / "api" / "main").read_text())["nodes"]
    return {node["name"]: node["id"] for node in nodes}


def test_the_static_site_has_every_preview(site):
    ids = node_ids(site)
    assert set(ids) >= TO_LOOK_AT
    for name in TO_LOOK_AT:
        node = json.loads((site / "api" / "nodes" / ids[name]).read_text())
        assert node["preview"], name
        assert node["preview_type"] == PREVIEWS.get(name, node["preview_type"]), name


def test_each_network_is_drawn_at_the_node_that_trains_it(site):
    nodes = json.loads((site / "api" / "main").read_text())["nodes"]
    trainings = [node for node in nodes if node["name"] == "train_model"]
    assert len(trainings) == 2
    for node in trainings:
        preview = json.loads((site / "api" / "nodes" / node["id"]).read_text())["preview"]
        assert preview["kind"] == "mermaid"
        assert ("Conv2D" in preview["content"]) == ("cnn" in node["tags"])


def test_the_layers_are_kedros_in_their_order(site):
    layers = json.loads((site / "api" / "main").read_text())["layers"]
    assert layers == ["raw", "model_input", "models", "model_output", "reporting"]


@needs_chromium
@pytest.mark.parametrize("how", ["static site", "server"])
def test_a_browser_shows_the_pipelines_and_a_picture_of_the_digits(site, project, tmp_path, how):
    address_of = served(site) if how == "static site" else viz_server(project)
    with address_of as address, flow_chart_at(address) as page:
        shown = page.locator(".pipeline-node").all_text_contents()
        for name in ("mnist", "train", "cnn", "dense", "confusion_matrix", "metrics"):
            assert name in shown
        assert "model_input" in page.locator(".pipeline-layer-name").all_text_contents()

        page.goto(f"{address}?pid=__default__&sn=mnist")  # as a click on it does
        page.locator(".pipeline-metadata__title", has_text="mnist").wait_for()
        picture = page.get_by_alt_text("Preview visualization")
        picture.wait_for()
        assert picture.evaluate("image => image.naturalWidth") > 500
        page.screenshot(path=tmp_path / f"{how}.png")


@needs_chromium
def test_a_browser_draws_the_network(site, tmp_path):
    nodes = json.loads((site / "api" / "main").read_text())["nodes"]
    (training,) = [n for n in nodes if n["name"] == "train_model" and "cnn" in n["tags"]]
    with served(site) as address, flow_chart_at(address) as page:
        page.goto(f"{address}?pid=__default__&sid={training['id']}&expandAllPipelines=true")
        page.locator("svg").get_by_text("Conv2D").first.wait_for()
        page.goto(f"{address}?pid=__default__&sn=report")
        page.get_by_text("How good is it?").wait_for()
        page.screenshot(path=tmp_path / "network.png")
