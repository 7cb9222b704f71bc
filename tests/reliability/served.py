"""Faults in pictures, requests and models of the web app; each function returns the message."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import Client

from mnist_kedro.serving import server
from mnist_kedro.serving.app import create_app
from mnist_kedro.serving.metrics import Metrics
from mnist_kedro.serving.model import ModelStore
from tests.support.project import Project

LATER = "9999-01-01T00.00.00.000Z"
NOTHING = [[0] * 28] * 28
BAD_REQUESTS: dict[str, tuple[Any, str]] = {
    "bad JSON": (b'{"pixels": [', "application/json"),
    "body too large": (b"\0" * (9 * 1024**2), "image/png"),
    "blank": (json.dumps({"pixels": NOTHING}), "application/json"),
    "NaN": (json.dumps({"pixels": [[float("nan")] * 28] * 28}), "application/json"),
    "wrong type": (json.dumps({"pixels": [["1"] * 28] * 28}), "application/json"),
    "neither picture nor JSON": (b"digit=7", "text/html"),
    "corrupt picture": (b"\x89PNG\r\n\x1a\n", "image/png"),
}


def bad_pictures(project: Project) -> str:
    """Classify a folder of valid and invalid pictures; return the status of each."""
    folder = project.folder / "my" / "pictures"
    shutil.rmtree(folder.parent, ignore_errors=True)
    folder.mkdir(parents=True)
    seven = np.full((60, 60), 255, np.uint8)
    seven[10:16, 15:45] = seven[10:50, 39:45] = 0
    deep = seven.astype(np.uint16) * 257
    colours = np.dstack([np.zeros((60, 60, 3), np.uint8), 255 - seven])  # transparent background
    pictures = {"black_on_white": seven, "white_on_black": 255 - seven, "16_bit": deep}
    for name, pixels in {**pictures, "rgba": colours, "blank": np.full_like(seven, 200)}.items():
        Image.fromarray(pixels).save(folder / f"{name}.png")
    file = BytesIO()
    Image.fromarray(seven).save(file, "PNG")
    (folder / "corrupt.png").write_bytes(file.getvalue()[:60])
    Image.new("1", (9000, 9000)).save(folder / "huge.png")
    (folder / "empty.png").touch()
    (folder / "notes.txt").write_text("not a picture")
    outcome = project.run("--pipelines", "inference", "--params", f"inference.images={folder}")
    assert outcome.status == 0, outcome.log
    (path,) = project.data.glob("07_model_output/digit_predictions.csv/*/*.csv")
    rows = pd.read_csv(path).itertuples()
    shutil.rmtree(path.parents[1])
    return "; ".join(f"{row.file}: {row.status}" for row in rows)


@contextmanager
def _exported(project: Project) -> Iterator[tuple[ModelStore, FlaskClient]]:
    """Serve a model that the project exported."""
    models = project.data / "06_models"
    if not (models / "cnn_onnx.json").exists():
        outcome = project.run("--pipelines", "export", "--to-outputs", "cnn.onnx_description")
        assert outcome.status == 0, outcome.log
    store = ModelStore(models, "cnn")
    store.refresh()
    yield store, create_app(store, Metrics()).test_client()


def bad_request(project: Project, what: str) -> str:
    """Return the status and the error of an invalid request."""
    body, kind = BAD_REQUESTS[what]
    with _exported(project) as (_, client):
        return _format_error(client.post("/api/predict", data=body, content_type=kind))


def _format_error(answer: Any) -> str:
    return f"{answer.status_code}: {json.loads(answer.get_data())['error']}"


def no_model(project: Project) -> str:
    """Request a prediction before the first export."""
    store = ModelStore(project.folder / "data" / "06_models", "cnn")
    store.refresh()
    return _format_error(create_app(store, Metrics()).test_client().get("/readyz"))


def candidate(project: Project) -> str:
    """Request a prediction when the only export was not promoted."""
    outcome = project.run("--pipelines", "export", "--to-outputs", "promotion")
    assert outcome.status == 0, outcome.log
    models = project.data / "06_models"
    store = ModelStore(models)
    store.refresh()
    try:
        return _format_error(create_app(store, Metrics()).test_client().get("/readyz"))
    finally:
        shutil.rmtree(models / "promotion.json")


def other_host(project: Project) -> str:
    """Send a request with another host name, as after DNS rebinding."""
    with _exported(project) as (_, client):
        return _format_error(client.get("/api/model", headers={"Host": "evil.example"}))


def damaged_model(project: Project) -> str:
    """Replace the model by a truncated file; return why the server rejects the file."""
    return _replaced(project, lambda file: file[:-100], same_digest=False)


def other_model(project: Project) -> str:
    """Replace the model by one with another input size; its description has the right digest."""
    import onnx

    def enlarge(file: bytes) -> bytes:
        model = onnx.load_from_string(file)
        model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 32
        return model.SerializeToString()

    return _replaced(project, enlarge, same_digest=True)


def _replaced(project: Project, change: Any, *, same_digest: bool) -> str:
    import hashlib

    with _exported(project) as (store, client):
        first = store.current.version
        added = []
        for name in ("cnn.onnx", "cnn_onnx.json"):
            source = store.folder / name / first / name
            target = store.folder / name / LATER / name
            target.parent.mkdir()
            content = source.read_bytes()
            if name == "cnn.onnx":
                content = change(content)
                digest = hashlib.sha256(content).hexdigest()
            elif same_digest:
                content = json.dumps({**json.loads(content), "sha256": digest}).encode()
            target.write_bytes(content)
            added.append(target.parent)
        store.refresh()
        assert store.current.version == first
        assert client.get("/readyz").status_code == 200
        for folder in added:
            shutil.rmtree(folder)
        return store.rejected[LATER]


def busy(project: Project) -> str:
    """Send a request while too many are waiting."""
    metrics = Metrics()
    app = create_app(ModelStore(Path("nowhere"), "cnn"), metrics)
    return _format_error(Client(server.shed_load(app, lambda: 200, metrics)).post("/api/predict"))
