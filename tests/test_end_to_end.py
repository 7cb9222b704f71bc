"""``kedro run --env smoke`` in a fresh copy of the project, and slices of it."""

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.support.catalog import default_pipeline, paths_of, stored_datasets
from tests.support.files import write_mnist
from tests.support.processes import background
from tests.support.project import python

MODELS = ("cnn", "dense")
FIGURES = sorted(path for path in stored_datasets().values() if path.endswith(".png"))


@pytest.fixture(scope="module")
def metrics(smoke):
    return smoke.latest_json("08_reporting/metrics.json")


def test_the_data_is_told_and_marked_as_the_sample(smoke, metrics):
    assert metrics["data"]["source"] == "sample"
    assert metrics["data"]["canonical_mnist"] is False
    counts = [metrics["data"][split] for split in ("train", "validation", "test")]
    assert counts == [3667, 333, 1000]
    log = (smoke.folder / "first_run.log").read_text()
    assert "4,000 training and 1,000 test digits from 'sample'" in log
    assert "test digits held out of the sample (not MNIST's test set)" in log
    assert "Not comparable with published results on MNIST" in log


def test_the_metrics_follow_from_the_predictions(smoke, metrics):
    assert list(metrics["models"]) == [*MODELS]
    for model, reported in metrics["models"].items():
        table = pd.read_csv(smoke.latest(f"07_model_output/{model}_predictions.csv"))
        assert len(table) == 1000
        right = (table["label"] == table["prediction"]).sum()
        assert reported["accuracy"] == right / 1000
        assert reported["accuracy"] > 0.6
        low, high = reported["accuracy_ci95"]
        assert low < reported["accuracy"] < high
        assert np.sum(reported["confusion"]) == 1000
        assert reported["parameters"] > 1000
        assert reported["training_seconds"] > 0
    assert 0 <= metrics["comparison"]["cnn_vs_dense"]["mcnemar_p"] <= 1


def test_the_predictions_follow_from_the_saved_model(smoke):
    """With Keras alone, on the stored test digits: what is reported is what is saved."""
    script = """
import sys
import h5py, keras, numpy as np, pandas as pd
model = keras.models.load_model(sys.argv[1], safe_mode=True)
with h5py.File(sys.argv[2]) as file:
    images = file["images"][:]
table = pd.read_csv(sys.argv[3])
assert not [name for name in sys.modules if name.startswith("mnist_kedro")]
probabilities = model.predict(images, batch_size=100, verbose=0)
np.testing.assert_allclose(table.filter(regex="^p[0-9]$"), probabilities, rtol=1e-3, atol=1e-6)
"""
    names = ("cnn.model", "test", "cnn.predictions")
    paths = [str(smoke.latest(stored_datasets()[name])) for name in names]
    alone = python(smoke.folder, "-c", script, *paths)
    assert alone.returncode == 0, alone.stderr


@pytest.mark.parametrize("figure", FIGURES)
def test_each_figure_is_a_picture(smoke, figure):
    picture = Image.open(smoke.latest(figure))
    assert picture.width == 880
    assert len(picture.convert("L").getcolors(256)) > 20


def test_all_outputs_have_the_version_of_the_run(smoke):
    files = [path for path in smoke.files() if not path.endswith(".sqlite3")]
    assert len({path.split("/")[2] for path in files}) == 1
    assert {path.rsplit("/", 2)[0] for path in files} == {*stored_datasets().values()}


def test_the_run_ends_with_what_it_made_how_good_it_is_and_where(smoke, metrics):
    log = (smoke.folder / "first_run.log").read_text()
    made, cnn, dense, path, step = (line[19:] for line in log.splitlines()[-5:])
    version = smoke.versions("08_reporting/report.html")[0]
    count = len(stored_datasets()) - 1  # the manifest is not an output of a node
    assert made.startswith(f"Saved {count} datasets, version {version}: cnn.model, dense.model, ")
    for model, line in zip(MODELS, (cnn, dense), strict=True):
        accuracy = f"{metrics['models'][model]['accuracy']:.2%}"
        assert line.startswith(f"{model}: test accuracy {accuracy} (95% interval ")
        assert line.endswith("%) on 1,000 digits of the sample")
        assert log.count(f" {accuracy} ") == 1
    assert path == "Report: data/smoke/08_reporting/latest/report.html"
    options = "--env smoke --pipelines inference --params inference.images=FOLDER"
    assert step.startswith("Next, classify your own pictures: ")
    assert step.endswith(f"kedro run {options}")
    assert max(map(len, log.splitlines()[-5:-1])) <= 120


def test_the_log_has_few_lines_and_no_details(smoke):
    log = (smoke.folder / "first_run.log").read_text()
    assert len(log.splitlines()) <= 25
    assert "DEBUG" not in log


def test_the_latest_report_is_beside_its_figures_and_metrics(smoke):
    folder = smoke.data / "08_reporting"
    reporting = {path for path in stored_datasets().values() if path.startswith(folder.name)}
    linked = {path.name for path in (folder / "latest").iterdir()}
    assert {f"{folder.name}/{name}" for name in linked} == reporting
    for path in reporting:
        assert (folder / "latest" / Path(path).name).samefile(smoke.latest(path))


def test_the_run_is_written_up(smoke, metrics):
    path = smoke.latest("08_reporting/run_manifest.json")
    manifest = json.loads(path.read_text())
    assert manifest["id"] == path.parent.name
    assert manifest["environment"] == "smoke"
    assert manifest["asked"]["env"] == "smoke"
    assert manifest["parameters"]["training"]["epochs"] == 2
    assert manifest["data"]["sha256_x_train"] == metrics["data"]["sha256_x_train"]
    assert manifest["saved"]["metrics"] == manifest["id"]
    assert manifest["loaded"]["cnn.model"] == manifest["loaded"]["mnist"] == manifest["id"]
    assert manifest["node_seconds"]["ingest_mnist"] > 0
    assert manifest["packages"]["tensorflow"]
    assert manifest["node_seconds"]["train_cnn"] > 0.1
    assert manifest["seconds"] > sum(manifest["node_seconds"].values())
    assert 200 < manifest["peak_memory_mib"] < 20_000


@pytest.mark.slow
def test_a_second_run_gives_the_same_metrics(smoke, running):
    running.make("--to-outputs", "metrics")
    assert len(running.versions("08_reporting/metrics.json")) == 2
    assert running.metrics() == smoke.metrics()
    for name in ("01_raw/mnist.hdf5", *PROCESSED_DIGITS):  # of the same content one file
        first, second = (
            running.data / name / version / Path(name).name for version in running.versions(name)
        )
        assert first.samefile(second)
    running.make("--pipelines", "reporting")
    assert running.metrics() == smoke.metrics()
    assert len(running.versions("06_models/cnn.keras")) == 2


PROCESSED_DIGITS = {"05_model_input/train.hdf5", "05_model_input/validation.hdf5"}
PROCESSED = {*PROCESSED_DIGITS, "05_model_input/pixel_statistics.json"}
SLICES_WITHOUT_TENSORFLOW = {
    "--pipelines ingestion": {"01_raw/mnist.hdf5"},
    "--pipelines data_processing": PROCESSED | {"05_model_input/test.hdf5"},
    "--to-outputs pixel_statistics": PROCESSED | {"01_raw/mnist.hdf5"},
    "--tags figures": paths_of(default_pipeline().only_nodes_with_tags("figures")),
    "--from-nodes reporting.evaluation.draw_confusion_matrix": {
        "08_reporting/confusion_matrix.png",
        "08_reporting/report.html",
    },
    "--from-inputs cnn.predictions --to-outputs figures.confusion_matrix": {
        "08_reporting/confusion_matrix.png"
    },
}
RUN_ALL = """
import json, sys
from kedro.framework.cli import main
for line in sys.stdin:
    if line == "null\\n":
        break
    sys.argv = ["kedro", "run", "--env", "smoke", *json.loads(line)]
    try:
        main()
    except SystemExit as error:
        print("exit status", error.code or 0, flush=True)
assert "tensorflow" not in sys.modules and "keras" not in sys.modules, "imported"
print("TensorFlow was not imported", flush=True)
"""


def test_slices_make_their_outputs_without_tensorflow(finished):
    """All in one new Python, which is where an import would be seen."""
    versions = {path: finished.versions(path) for path in stored_datasets().values()}
    with background("-c", RUN_ALL, folder=finished.folder) as program:
        for number, (arguments, expected) in enumerate(SLICES_WITHOUT_TENSORFLOW.items(), start=1):
            program.tell(json.dumps(arguments.split()))
            assert program.wait_for(r"^exit status (\d+)$", number)[1] == "0", arguments
            made = {path for path in versions if finished.versions(path) != versions[path]}
            assert made == {"08_reporting/run_manifest.json", *expected}, arguments
            versions = {path: finished.versions(path) for path in versions}
        program.tell("null")
        program.wait_for("TensorFlow was not imported")
    latest = finished.data / "08_reporting" / "latest"
    assert (latest / "report.html").samefile(finished.latest("08_reporting/report.html"))
    first, _ = finished.versions("08_reporting/confusion_matrix.png")[:2]
    assert (latest / "metrics.json").resolve().parent.name == first  # it was not made again


def test_only_missing_outputs_makes_what_is_missing(finished):
    shutil.rmtree(finished.data / "08_reporting" / "class_balance.png")
    log = finished.make("--only-missing-outputs", "--verbose")
    assert "Done: reporting.evaluation.draw_class_balance" in log
    assert log.count("Done: ") == 1
    manifests = finished.versions("08_reporting/run_manifest.json")
    assert len(manifests) == 2
    assert "Nothing to do: all outputs exist." in finished.make("--only-missing-outputs")
    assert finished.versions("08_reporting/run_manifest.json") == manifests


def test_parameters_of_the_command_line_count(finished, mnist, tmp_path):
    finished.make("--tags", "dense", "--params", "training.epochs=1")
    assert finished.latest_json("06_models/dense_history.json")["epochs"] == 1
    assert len(finished.versions("06_models/cnn.keras")) == 1

    assert len(finished.versions("01_raw/mnist.hdf5")) == 1  # no node of that run reads it

    path = write_mnist(tmp_path / "mine.h5", mnist)
    ingested(finished, path, "--params", f"ingestion.source={path}")
    folder = finished.data / "01_raw" / "source"
    folder.mkdir()
    path = path.rename(folder / "later.h5")  # what is put there after a first run counts, too
    ingested(finished, path, "--params", "ingestion.source=auto")


def ingested(project, path, *options):
    """Ingest a file of a few digits, and see that these are what is tested on."""
    project.make("--pipelines", "ingestion,data_processing", *options)
    with h5py.File(project.latest("05_model_input/test.hdf5")) as file:
        assert file["images"].shape == (200, 28, 28, 1)
        assert str(path).endswith(file.attrs["source"].decode())


@pytest.mark.slow
def test_python_m_runs_the_project_too(finished):
    run = ("-m", "mnist_kedro", "--env", "smoke", "--tags", "figures")
    done = python(finished.folder, *run)
    assert done.returncode == 0, done.stderr
    assert len(finished.versions("08_reporting/class_balance.png")) == 2


@pytest.mark.slow
def test_the_models_are_chosen_by_a_parameter(project):
    """Those that no default run trains; the figures of single predictions are of the first."""
    models = "training.models=[lenet5,resnet,capsnet]"
    project.make("--params", f"training.epochs=1,{models}")
    metrics = project.metrics()
    assert list(metrics["models"]) == ["lenet5", "resnet", "capsnet"]
    assert list(metrics["comparison"]) == [
        "lenet5_vs_resnet",
        "lenet5_vs_capsnet",
        "resnet_vs_capsnet",
    ]
    saved = {path.stem for path in (project.data / "06_models").glob("*.keras")}
    assert saved == {"lenet5", "resnet", "capsnet"}
    assert "draw_confusion_matrix" in project.make(
        "--tags", "figures", "--params", models, "--verbose"
    )


@pytest.mark.slow
def test_an_ensemble_is_reported_beside_its_members(project):
    """Trained one by one, averaged, in the comparison; the report alone is the same again."""
    chosen = ("--params", "training.models=[dense],training.members=2", "--to-outputs", "metrics")
    assert "dense_2: epoch 2 of 2" in project.make(*chosen)
    metrics = project.metrics()
    assert list(metrics["models"]) == ["dense", "dense_2", "dense_ensemble"]
    assert list(metrics["comparison"]) == ["dense_vs_dense_ensemble"]
    ensemble = metrics["models"]["dense_ensemble"]
    assert ensemble["members"]["seeds"] == [0, 1]
    tables = [
        pd.read_csv(project.latest(f"07_model_output/{name}_predictions.csv"))
        for name in ("dense", "dense_2")
    ]
    voted = sum(table.filter(regex="^p[0-9]$").to_numpy() for table in tables).argmax(axis=1)
    assert ensemble["errors"] == (voted != tables[0]["label"]).sum()
    project.make("--pipelines", "reporting", *chosen)
    assert project.metrics() == metrics


@pytest.mark.slow
def test_a_few_digits_of_some_classes_are_enough(project, mnist, tmp_path):
    rows = np.concatenate([np.flatnonzero(mnist["y_train"] == digit)[:25] for digit in (0, 1, 7)])
    np.savez(tmp_path / "mine.npz", images=mnist["x_train"][rows], labels=mnist["y_train"][rows])
    source = f"ingestion.source={tmp_path}/mine.npz"
    outcome = project.run("--pipelines", "ingestion", "--params", source)
    assert outcome.status == 1
    assert "does not contain 2, 3, 4, 5, 6, 8, 9; to ingest it anyway, add" in outcome.last_line
    project.make("--params", f"{source},ingestion.allow_missing_classes=true")
    confusion = np.array(project.metrics()["models"]["cnn"]["confusion"])
    assert confusion.sum(axis=1).tolist() == [4, 4, 0, 0, 0, 0, 0, 3, 0, 0]


@pytest.mark.slow
def test_runs_are_compared(finished):
    changed = "training.epochs=1,training.models=[cnn]"
    finished.make("--params", changed, "--to-outputs", "metrics")
    finished.make("--pipelines", "compare_runs")
    runs = pd.read_csv(finished.latest("08_reporting/runs.csv"))
    assert runs["model"].tolist() == ["cnn", "dense", "cnn"]
    assert runs["run"].tolist() == sorted(runs["run"])
    assert "training.epochs: 2 → 1" in runs["changed"].iloc[-1]
    with Image.open(finished.latest("08_reporting/runs_compared.png")) as picture:
        assert picture.width == 880


def test_without_a_run_there_is_nothing_to_compare(project):
    outcome = project.run("--pipelines", "compare_runs")
    assert outcome.status == 1
    assert "missing inputs: all_metrics, all_run_manifests;" in outcome.last_line
    assert "create them with 'kedro run --env smoke'." in outcome.last_line
