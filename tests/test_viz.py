"""Kedro-Viz of a project after its first run: the static site and the server, in a real browser."""

import functools
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.support.browser import needs_chromium, page_at
from tests.support.catalog import stored_datasets
from tests.support.http import Quiet, http_server
from tests.support.paths import ROOT
from tests.support.processes import background
from tests.support.project import Project, environment

pytestmark = pytest.mark.slow

PREVIEWS = {
    "mnist": "ImagePreview",
    "train": "ImagePreview",
    "figures.confusion_matrix": "ImagePreview",
    "cnn.model": "TablePreview",
    "cnn.predictions": "TablePreview",
    "cnn.history": "JSONPreview",
    "metrics": "JSONPreview",
    "model_card": "HTMLPreview",
    "report": "HTMLPreview",
}


@pytest.fixture(scope="module")
def project(smoke: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose main data is what the smoke run made: `viz build` takes no environment."""
    folder = tmp_path_factory.mktemp("viz") / "project"
    shutil.copytree(smoke.folder, folder, ignore=shutil.ignore_patterns("data"))
    shutil.copytree(smoke.data, folder / "data")
    return Project(folder)


@pytest.fixture(scope="module")
def site(project: Project) -> Path:
    (project.folder / ".viz").mkdir(exist_ok=True)
    paths = f"{project.folder}/src/nodes.py, {Path.home()}/python/io.py"
    failed = {"event": "on_pipeline_error", "error": "failed", "traceback": paths}
    (project.folder / ".viz" / "kedro_pipeline_events.json").write_text(json.dumps([failed]))
    make = ["make", "--file", str(ROOT / "Makefile"), "viz-build", f"VENV={sys.prefix}"]
    subprocess.run(make, cwd=project.folder, env=environment(project.folder), check=True)
    return project.folder / "build"


def served(folder: Path):
    return http_server(functools.partial(Quiet, directory=str(folder)))


@contextmanager
def viz_server(project: Project) -> Iterator[str]:
    """`kedro viz run`, as `make viz` starts it."""
    command = ("-m", "kedro", "viz", "run", "--include-hooks", "--no-browser")
    with background(*command, "--host", "127.0.0.1", folder=project.folder) as program:
        yield program.wait_for(r"(http://127\.0\.0\.1:\d+/)")[1]


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
    names = {*stored_datasets()} - {"run_manifest"}  # which a hook saves
    assert ids.keys() >= names
    for name in names:
        node = json.loads((site / "api" / "nodes" / ids[name]).read_text())
        assert node["preview"], name
        assert node["preview_type"] == PREVIEWS.get(name, node["preview_type"]), name


def test_each_network_is_drawn_at_the_node_that_trains_it(site):
    nodes = json.loads((site / "api" / "main").read_text())["nodes"]
    trainings = [node for node in nodes if node["name"].startswith("train_")]
    assert len(trainings) == 2
    for node in trainings:
        preview = json.loads((site / "api" / "nodes" / node["id"]).read_text())["preview"]
        assert preview["kind"] == "mermaid"
        assert ("Conv2D" in preview["content"]) == ("cnn" in node["tags"])


def test_the_layers_are_kedros_in_their_order(site):
    layers = json.loads((site / "api" / "main").read_text())["layers"]
    assert layers == ["raw", "model_input", "models", "model_output", "reporting"]


def test_every_pipeline_shows_its_layers(site):
    for pipeline in (site / "api" / "pipelines").iterdir():
        assert json.loads(pipeline.read_text())["layers"], pipeline.name


def test_the_static_site_has_no_absolute_paths(site, project):
    files = [path for path in site.rglob("*") if path.is_file()]
    assert not [path for path in files if path.suffix == ".bak"]
    for path in files:
        content = path.read_bytes()
        for folder in (project.folder, Path.home(), ROOT):
            assert f"{folder}/".encode() not in content, path
    model = json.loads((site / "api" / "nodes" / node_ids(site)["cnn.model"]).read_text())
    assert model["filepath"] == "data/06_models/cnn.keras"
    status = json.loads((site / "api" / "run-status").read_text())
    assert status["pipeline"]["error"]["traceback"] == "src/nodes.py, ~/python/io.py"


@needs_chromium
@pytest.mark.parametrize("how", ["static site", "server"])
def test_a_browser_shows_the_pipelines_and_a_picture_of_the_digits(site, project, tmp_path, how):
    address_of = served(site) if how == "static site" else viz_server(project)
    with address_of as address, flow_chart_at(address) as page:
        shown = page.locator(".pipeline-node").all_text_contents()
        for name in ("mnist", "data_processing", "train", "train_cnn", "cnn.model", "reporting"):
            assert name in shown
        assert len(shown) <= 25  # so that one can read it
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
    (training,) = [n for n in nodes if n["name"] == "train_cnn"]
    with served(site) as address, flow_chart_at(address) as page:
        page.goto(f"{address}?pid=__default__&sid={training['id']}&expandAllPipelines=true")
        page.locator("svg").get_by_text("Conv2D").first.wait_for()
        page.goto(f"{address}?pid=__default__&sn=report")
        page.get_by_text("How good is it?").wait_for()
        page.screenshot(path=tmp_path / "network.png")
