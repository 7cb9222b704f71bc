"""Runs of the pipeline ``teaching``, and what other pipelines make of a network that was taught."""

import json
import re

import h5py
import numpy as np
import pytest

from mnist_kedro.corrections import NO_DIGIT
from mnist_kedro.promotion import read_decisions
from mnist_kedro.serving.teaching_run import _MILESTONES
from tests.support.corrections import keep_all

pytestmark = pytest.mark.slow
ON = "promotion.enabled=true"


@pytest.fixture(scope="module")
def taught(smoke, tmp_path_factory, mnist):
    """A project whose network was exported, and then taught by someone who writes in a mirror."""
    project = smoke.copy(tmp_path_factory.mktemp("taught") / "project")
    project.make("--pipelines", "export", "--params", ON)
    images, labels = mnist["x_test"], mnist["y_test"]
    mirrored = np.isin(labels, (2, 3, 5, 6))
    folder = project.data / "01_raw" / "corrections"
    keep_all(folder, images[mirrored][:, :, ::-1], labels[mirrored])
    keep_all(folder, images[:2][:, ::-1], [NO_DIGIT] * 2)
    project.log = project.make("--pipelines", "teaching", "--params", f"{ON},promotion.force=test")
    return project


def test_it_learns_and_is_decided_about(taught):
    assert "Cross-validation on " in taught.log
    for pattern, *_ in _MILESTONES:  # by which the web app tells how far it is
        assert re.search(pattern, taught.log), pattern
    decision = next(read_decisions(taught.data / "06_models"))
    assert decision["by"] == "teaching"
    held_out = decision["teaching"]["held_out"]
    assert held_out["right_after"] > 1.5 * held_out["right_before"]
    record = json.loads(taught.latest("06_models/cnn_onnx.json").read_bytes())["training_record"]
    parents = taught.versions("06_models/cnn.keras")
    assert record["taught"]["parent"]["version"] == parents[0]
    assert record["run"]["id"] == parents[1] == decision["version"] == decision["trained"]


def test_the_corrections_are_a_source_of_digits(finished, mnist):
    keep_all(finished.data / "01_raw" / "corrections", mnist["x_test"], mnist["y_test"])
    finished.make("--pipelines", "teaching", "--to-nodes", "export_corrections")
    pictures = finished.data / "05_model_input" / "correction_pictures"
    assert {path.name for path in pictures.iterdir()} == set("0123456789")
    log = finished.make("--pipelines", "ingestion", "--params", f"ingestion.source={pictures}")
    with h5py.File(finished.latest("01_raw/mnist.hdf5")) as file:
        images = np.concatenate([file["x_train"], file["x_test"]])
        labels = np.concatenate([file["y_train"], file["y_test"]])
    assert np.bincount(labels).tolist() == np.bincount(mnist["y_test"]).tolist()
    assert {image.tobytes() for image in images} == {image.tobytes() for image in mnist["x_test"]}
    assert "correction_pictures" in log


def test_the_other_pipelines_take_the_network_that_was_taught(taught, mnist, tmp_path):
    from PIL import Image

    picture = tmp_path / "digit.png"
    Image.fromarray(mnist["x_test"][0]).save(picture)
    taught.make("--pipelines", "inference", "--params", f"inference.images={picture}")
    manifest = taught.latest_json("08_reporting/run_manifest.json")
    assert manifest["loaded"]["cnn.model"] == taught.versions("06_models/cnn.keras")[1]
    taught.make("--pipelines", "reporting")
    report = taught.latest("08_reporting/report.html").read_text()
    assert "corrections (digest <code>" in report
    card = taught.latest("08_reporting/model_card.md").read_text()
    assert "The network was fine-tuned from cnn" in card


def test_it_is_taught_with_the_digits_of_its_parent(taught):
    """Although they were divided anew since."""
    project = taught.copy(taught.folder.parent / "divided")
    project.make("--pipelines", "data_processing", "--params", "data_processing.seed=7")
    before = project.versions("05_model_input/train.hdf5")
    project.make("--pipelines", "teaching", "--params", "teaching.steps=10")
    manifest = project.latest_json("08_reporting/run_manifest.json")
    assert manifest["loaded"]["train"] == before[0]


def test_it_is_taught_again_from_the_untaught_network(taught):
    """With all corrections, so that held-out ones were never taught; an export promotes it not."""
    project = taught.copy(taught.folder.parent / "again")
    force = f"{ON},promotion.force=test,teaching.steps=20"
    project.make("--pipelines", "teaching", "--params", force)
    first, _, latest = project.versions("06_models/cnn.keras")[:3]
    record = json.loads(project.latest("06_models/cnn_onnx.json").read_bytes())["training_record"]
    assert record["run"]["id"] == latest
    assert record["taught"]["parent"]["version"] == first
    project.make("--pipelines", "teaching", "--params", f"{ON},teaching.steps=1")
    project.make("--pipelines", "export", "--params", ON)
    decision = next(read_decisions(project.data / "06_models"))
    assert (decision["by"], decision["promoted"]) == ("export", False)
    assert project.kedro("remove-versions", "--env", "smoke", "--keep", "1", "--yes").status == 0
    assert first in project.versions("06_models/cnn.keras")  # a next teaching starts from it


def test_without_a_network_that_is_served_it_says_what_to_do(finished, mnist):
    keep_all(finished.data / "01_raw" / "corrections", mnist["x_test"][:12], mnist["y_test"][:12])
    outcome = finished.run("--pipelines", "teaching")
    assert outcome.status == 1
    assert "no network is promoted yet; 'kedro run --pipelines export'" in outcome.last_line


def test_with_few_corrections_it_says_how_many_are_needed(taught):
    project = taught.copy(taught.folder.parent / "few")
    for path in sorted((project.data / "01_raw" / "corrections").glob("*.json"))[9:]:
        path.unlink()
    outcome = project.run("--pipelines", "teaching")
    assert outcome.status == 1
    assert "corrections: found 9, but teaching needs at least 10" in outcome.log
