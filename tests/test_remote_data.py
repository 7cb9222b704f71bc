"""The whole way with all data in an S3-compatible store: moto's server, a process of its own."""

import socket
import subprocess
import sys
import time

import pytest
import s3fs

from tests.conftest import PATIENCE, copy_project, environment

BUCKET = "digits"
ROOT = f"s3://{BUCKET}/some folder"


@pytest.fixture(scope="module")
def store():
    """The variables under which programs find it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    variables = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "anyone",
        "AWS_SECRET_ACCESS_KEY": "anything",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.1)
    yield variables
    server.kill()
    server.wait()


@pytest.fixture(scope="module")
def files(store):
    """What is in the store."""
    fs = s3fs.S3FileSystem(
        key=store["AWS_ACCESS_KEY_ID"],
        secret=store["AWS_SECRET_ACCESS_KEY"],
        endpoint_url=store["AWS_ENDPOINT_URL"],
        use_listings_cache=False,
    )
    fs.mkdir(BUCKET)
    return lambda: {path.removeprefix(f"{ROOT[5:]}/") for path in fs.find(BUCKET)}


@pytest.fixture(scope="module")
def remote(store, files, tmp_path_factory):
    """A project whose data are there; it has run once."""
    project = copy_project(tmp_path_factory.mktemp("remote") / "project")
    (project / "conf" / "smoke" / "globals.yml").write_text(f"paths: {{root: {ROOT}}}\n")

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "kedro", "run", "--env", "smoke", *arguments],
            cwd=project,
            env={**environment(project), **store},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    first = run()
    assert first.returncode == 0, first.stderr
    run.project = project
    return run


def names(files):
    return {path.rpartition("/")[2] for path in files}


def test_a_run_saves_everything_there_and_nothing_here(remote, files):
    made = names(files())
    assert {"mnist.hdf5", "train.hdf5", "cnn.keras", "cnn_history.json", "metrics.json"} <= made
    assert {"confusion_matrix.png", "report.html", "model_card.md", "run_manifest.json"} <= made
    assert not any("checkpoints" in path for path in files())  # the run is done
    assert not [path for path in remote.project.glob("data/**/*") if path.is_file()]
    assert not list(remote.project.glob("s3*"))


def test_a_slice_goes_on_from_what_is_there(remote, files):
    before = files()
    told = remote("--nodes", "compare_models,cnn.evaluate_model,dense.evaluate_model")
    assert told.returncode == 0, told.stderr
    assert before <= files()
    told = remote("--pipelines", "export", "--tags", "cnn")
    assert told.returncode == 0, told.stderr
    made = files() - before
    assert {"cnn.onnx", "cnn.tflite", "cnn_int8.tflite", "cnn_onnx.json"} <= names(made)
    (model,) = [path for path in made if path.endswith("saved_model.pb")]
    assert model.split("/")[:3] == ["06_models", "saved_models", "cnn"]
    assert model.split("/")[3].isdigit()


def test_versions_are_kept_and_named(remote, files):
    versions = sorted(path.split("/")[2] for path in files() if "/cnn.keras/" in path)
    told = remote("--nodes", "cnn.train_model", "--params", "training.epochs=1")
    assert told.returncode == 0, told.stderr
    later = sorted(path.split("/")[2] for path in files() if "/cnn.keras/" in path)
    assert later[:-1] == versions
    told = remote(
        "--nodes", "cnn.predict_test_digits", "--load-versions", f"cnn.model:{versions[0]}"
    )
    assert told.returncode == 0, told.stderr


def test_what_cannot_be_there_says_so(remote):
    globals_ = remote.project / "conf" / "smoke" / "globals.yml"
    before = globals_.read_text()
    globals_.write_text(f"paths: {{root: {ROOT}, local: {ROOT}}}\n")
    told = remote("--nodes", "cnn.train_model")
    globals_.write_text(before)
    assert told.returncode == 1
    assert "expected a path on this machine" in told.stderr
    assert "paths.local" in told.stderr


def test_on_a_dask_cluster(remote, files):
    """Workers that share no folder but the store."""
    before = files()
    arguments = ("--runner", "mnist_kedro.runners.DaskRunner", "--runner-params", "workers=2")
    told = remote("--pipelines", "training", "--params", "training.epochs=1", *arguments)
    assert told.returncode == 0, told.stderr
    assert {"cnn.keras", "dense.keras"} <= names(files() - before)
