"""The whole way with all data in an S3-compatible store: moto's server, a process of its own."""

import functools
import json
import re

import pytest

from tests.support.files import write_mnist
from tests.support.http import Quiet, http_server
from tests.support.paths import ROOT as HERE
from tests.support.project import Project
from tests.support.s3 import s3_files, s3_options, s3_server

pytestmark = pytest.mark.slow

BUCKET = "digits"
ROOT = f"s3://{BUCKET}/some folder"


@pytest.fixture(scope="module")
def store():
    """The variables under which programs find it."""
    with s3_server() as variables:
        yield variables


@pytest.fixture(scope="module")
def files(store):
    """What is in the store."""
    fs = s3_files(store)
    fs.mkdir(BUCKET)
    return lambda: {path.removeprefix(f"{ROOT[5:]}/") for path in fs.find(BUCKET)}


@pytest.fixture(scope="module")
def project(files, tmp_path_factory):
    """A project whose data are there."""
    project = Project.clone(tmp_path_factory.mktemp("remote") / "project")
    project.globals = project.folder / "conf" / "smoke" / "globals.yml"
    project.globals.write_text(f"paths: {{root: {ROOT}}}\n")
    return project


@pytest.fixture(scope="module")
def make(project, store):
    """Runs the project; it has run once."""

    def run(*arguments):
        return project.make(*arguments, **store)

    run()
    return run


def names(files):
    return {path.rpartition("/")[2] for path in files}


def test_a_run_saves_everything_there_and_nothing_here(make, project, files):
    made = names(files())
    assert {"mnist.hdf5", "train.hdf5", "cnn.keras", "cnn_history.json", "metrics.json"} <= made
    assert {"confusion_matrix.png", "report.html", "model_card.md", "run_manifest.json"} <= made
    assert not any("checkpoints" in path for path in files())  # the run is done
    assert not [path for path in project.folder.glob("data/**/*") if path.is_file()]
    assert not list(project.folder.glob("s3*"))


def test_a_slice_goes_on_from_what_is_there(make, files):
    before = files()
    nodes = ("compare_models", "cnn.evaluate_model", "dense.evaluate_model")
    make("--nodes", ",".join(f"reporting.evaluation.{node}" for node in nodes))
    assert before <= files()
    make("--pipelines", "export", "--tags", "cnn")
    made = files() - before
    assert {"cnn.onnx", "cnn.tflite", "cnn_int8.tflite", "cnn_onnx.json"} <= names(made)
    (model,) = [path for path in made if path.endswith("saved_model.pb")]
    assert model.split("/")[:3] == ["06_models", "saved_models", "cnn"]
    assert model.split("/")[3].isdigit()


def test_versions_are_kept_and_named(make, files):
    versions = sorted(path.split("/")[2] for path in files() if "/cnn.keras/" in path)
    make("--nodes", "train_cnn", "--params", "training.epochs=1")
    later = sorted(path.split("/")[2] for path in files() if "/cnn.keras/" in path)
    assert later[:-1] == versions
    node = "reporting.evaluation.cnn.predict_test_digits"
    make("--nodes", node, "--load-versions", f"cnn.model:{versions[0]}")


def test_what_cannot_be_there_says_so(project, make, store):
    before = project.globals.read_text()
    project.globals.write_text(f"paths: {{root: {ROOT}, local: {ROOT}}}\n")
    outcome = project.run("--nodes", "train_cnn", **store)
    project.globals.write_text(before)
    assert outcome.status == 1
    assert "expected a local path" in outcome.last_line
    assert "paths.local" in outcome.last_line


def test_on_a_dask_cluster(make, files):
    """Workers that share no folder but the store."""
    before = files()
    arguments = ("--runner", "mnist_kedro.runners.DaskRunner", "--runner-params", "workers=2")
    make("--pipelines", "training", "--params", "training.epochs=1", *arguments)
    assert {"cnn.keras", "dense.keras"} <= names(files() - before)


@pytest.fixture
def local(tmp_path):
    """A project whose data are on this machine."""
    return Project.clone(tmp_path / "project")


def ingest(project, source, **variables):
    return project.kedro(
        "run", "--pipelines", "ingestion", "--params", f"ingestion.source={source}", **variables
    )


def test_a_source_is_read_with_the_credentials_of_the_catalog(local, store, files, mnist, tmp_path):
    s3_files(store).put(str(write_mnist(tmp_path / "mnist.hdf5", mnist)), f"{BUCKET}/mnist.hdf5")
    refused = ingest(local, f"s3://{BUCKET}/mnist.hdf5", AWS_EC2_METADATA_DISABLED="true")
    assert refused.status == 1
    assert "access denied" in refused.last_line
    assert "'credentials' of the dataset source_store" in refused.last_line

    (name,) = re.findall(
        r"```yaml\n(source_store:.*?)```", (HERE / "docs/data.md").read_text(), re.DOTALL
    )
    (local.folder / "conf/local/catalog.yml").write_text(name)
    credentials = json.dumps({"s3": s3_options(store)})
    (local.folder / "conf/local/credentials.yml").write_text(credentials)
    finished = ingest(local, f"s3://{BUCKET}/mnist.hdf5")
    assert finished.status == 0, finished.log
    assert f"from 's3://{BUCKET}/mnist.hdf5'" in finished.log
    assert store["AWS_SECRET_ACCESS_KEY"] not in finished.log


def test_a_run_shows_no_secret_of_an_address(local, mnist, tmp_path):
    write_mnist(tmp_path / "mnist.hdf5", mnist)
    with http_server(functools.partial(Quiet, directory=str(tmp_path))) as address:
        secret = address.replace("://", "://hidden:password@") + "{}?sig=signature"
        finished = ingest(local, secret.format("mnist.hdf5"))
        failed = ingest(local, secret.format("nothing.hdf5"))
    assert finished.status == 0, finished.log
    assert f"from '{address}mnist.hdf5'" in finished.log
    assert failed.last_line.endswith(f"{address}nothing.hdf5: no such file or folder.")
    made = [path.read_bytes() for path in local.folder.rglob("*") if path.is_file()]
    made = [content for content in made if address.encode() in content]
    assert len(made) >= 3  # logs, digits, manifest
    for secret in (b"hidden:", b"password@", b"signature"):
        assert not [content for content in made if secret in content]


def test_auto_takes_the_file_in_the_store(project, store, files, mnist, tmp_path):
    folder = f"{ROOT[5:]}/01_raw/source"
    s3_files(store).put(str(write_mnist(tmp_path / "mnist.npz", mnist)), f"{folder}/mnist.npz")
    options = ("--pipelines", "ingestion", "--params", "ingestion.source=auto")
    assert f"from 's3://{folder}/mnist.npz'" in project.make(*options, **store)
