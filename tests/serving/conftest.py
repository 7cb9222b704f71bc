"""Exported models, as `kedro run --pipelines export` leaves them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mnist_kedro.pipelines.export.nodes import export_to_onnx, predict_reference
from mnist_kedro.serving.metrics import Metrics
from mnist_kedro.serving.model import ModelStore
from tests.pipelines.test_reporting import REPORTING

FIRST, SECOND = "2026-01-01T00.00.00.000Z", "2026-01-02T00.00.00.000Z"


@pytest.fixture(scope="session")
def exported(trained, digits) -> tuple[bytes, dict]:
    """An ONNX file and its description."""
    reference = predict_reference(trained, digits, digits, REPORTING)
    return export_to_onnx(trained, digits, reference)


@pytest.fixture
def export(exported, tmp_path) -> Callable[..., Path]:
    """Adds a version to a folder of models, if need be with another file or description."""

    def save(version: str = FIRST, file: bytes | None = None, description=None) -> Path:
        folder = tmp_path / "06_models"
        for name, content in {
            "cnn.onnx": exported[0] if file is None else file,
            "cnn_onnx.json": json.dumps(exported[1] if description is None else description),
        }.items():
            path = folder / name / version / name
            path.parent.mkdir(parents=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
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
