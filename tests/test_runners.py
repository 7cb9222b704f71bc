"""Runs with Kedro's other runners, where nothing is trained."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.support.project import Project, without_seconds

RUNNERS = ("ThreadRunner", "ParallelRunner")


def outputs(project: Project, version: str) -> dict[str, object]:
    """Load what a run saved, without what differs between equal runs."""
    loaded: dict[str, object] = {}
    for path in sorted(project.data.glob(f"0[78]*/*/{version}/*")):
        match path.suffix:
            case ".json" if path.name != "run_manifest.json":
                loaded[path.name] = without_seconds(json.loads(path.read_text()))
            case ".csv":
                loaded[path.name] = path.read_text()
            case ".png":
                loaded[path.name] = Image.open(path).tobytes()
    return loaded


def manifest(project: Project) -> dict:
    return project.latest_json("08_reporting/run_manifest.json")


@pytest.mark.parametrize("runner", RUNNERS)
def test_digits_are_processed_alike(finished, runner):
    finished.make("--pipelines", "data_processing", "--runner", runner)
    made = {"train", "validation", "test", "pixel_statistics"}
    assert manifest(finished)["saved"].keys() == made
    assert manifest(finished)["loaded"].keys() == {"mnist", "train"}
    assert manifest(finished)["data"]["source"] == "sample"
    for name in ("train", "validation", "test"):
        path = f"05_model_input/{name}.hdf5"
        first, second = (
            finished.data / path / version / Path(path).name for version in finished.versions(path)
        )
        assert first.samefile(second)


@pytest.mark.parametrize("runner", RUNNERS)
def test_missing_outputs_are_recorded(finished, runner):
    missing = ("--pipelines", "data_processing", "--only-missing-outputs", "--runner", runner)
    shutil.rmtree(finished.data / "05_model_input" / "pixel_statistics.json")
    assert "Saved 1 dataset, version 2" in finished.make(*missing)
    assert manifest(finished)["saved"] == {"pixel_statistics": manifest(finished)["id"]}
    assert manifest(finished)["loaded"].keys() == {"train"}
    assert finished.make(*missing).endswith("Nothing to do: all outputs exist.\n")


@pytest.mark.slow
@pytest.mark.parametrize("runner", RUNNERS)
def test_reports_are_the_same_pixel_by_pixel(finished, runner):
    expected = outputs(finished, manifest(finished)["id"])
    finished.make("--pipelines", "reporting", "--runner", runner)
    made = outputs(finished, manifest(finished)["id"])
    assert len(made) > 20
    assert made == {name: expected[name] for name in made}
    assert len(finished.versions("06_models/cnn.keras")) == 1
