"""Exported models, as `kedro run --pipelines export` leaves them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from mnist_kedro.metrics.picture_calibration import measure_calibration
from mnist_kedro.metrics.prediction import probabilities_of
from mnist_kedro.pictures.detector import score_digits
from mnist_kedro.pipelines.export.nodes import export_to_onnx, predict_reference
from mnist_kedro.serving.metrics import Metrics
from mnist_kedro.serving.model import ModelStore
from tests.support.parameters import REPORTING
from tests.support.paths import ROOT
from tests.support.pictures import saved
from tests.support.server import FIRST, Server, serving


@pytest.fixture(scope="session")
def exported(trained, digits) -> tuple[bytes, dict]:
    """An ONNX file and its description."""
    images, labels = digits["images"], np.asarray(digits["labels"])
    probabilities = probabilities_of(trained, images)
    calibration = measure_calibration(score_digits(images), labels, probabilities)
    reference = predict_reference(trained, digits, digits, calibration, REPORTING)
    return export_to_onnx(trained, digits, reference)


@pytest.fixture(scope="module")
def picture(digits) -> bytes:
    """A digit as a PNG."""
    return saved(np.asarray(digits["images"])[0, ..., 0])


@pytest.fixture(scope="module")
def served(exported, tmp_path_factory) -> Iterator[Server]:
    """A server of the exported model, for all tests of a file."""
    folder = tmp_path_factory.mktemp("served") / "06_models"
    save_export(folder, FIRST, *exported)
    with serving(ROOT, "--models", str(folder)) as server:
        yield server


@pytest.fixture(scope="module")
def keeping(exported, tmp_path_factory):
    """A server that keeps corrections; it cannot teach, for it is not in a project."""
    folder = tmp_path_factory.mktemp("keeping")
    save_export(folder / "06_models", FIRST, *exported)
    options = ("--models", str(folder / "06_models"), "--corrections", str(folder / "kept"))
    with serving(ROOT, *options) as server:
        server.kept = folder / "kept"
        yield server


def save_export(folder: Path, version: str, file: bytes, description: dict) -> None:
    """Save a version as `kedro run --pipelines export` does."""
    for name, content in {
        "cnn.onnx": file,
        "cnn_onnx.json": json.dumps(description).encode(),
    }.items():
        path = folder / name / version / name
        path.parent.mkdir(parents=True)
        path.write_bytes(content)


@pytest.fixture
def export(exported, tmp_path) -> Callable[..., Path]:
    """Adds a version to a folder of models, if need be with another file or description."""

    def save(version: str = FIRST, file: bytes | None = None, description=None) -> Path:
        folder = tmp_path / "06_models"
        made, described = exported
        save_export(folder, version, made if file is None else file, description or described)
        return folder

    return save


@pytest.fixture
def store(export) -> ModelStore:
    store = ModelStore(export(), "cnn")
    store.refresh()
    return store


@pytest.fixture
def client(store):
    from mnist_kedro.serving.app import create_app

    return create_app(store, Metrics()).test_client()
