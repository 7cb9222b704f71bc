"""``kedro run --env smoke`` in a fresh copy of the project, and slices of it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mnist_kedro.pipelines import MODELS
from tests.conftest import kedro, latest, python

FIGURES = (
    "training_curves",
    "confusion_matrix",
    "sample_predictions",
    "worst_mistakes",
    "least_confident_hits",
    "class_balance",
    "reliability_diagram",
    "risk_coverage",
    "robustness",
    "out_of_distribution",
)
LOOKED_INTO = (
    "first_layer",
    "feature_maps",
    "attributions",
    "embedding",
)  # need the network itself


@pytest.fixture(scope="module")
def metrics(smoke_project):
    return json.loads(latest(smoke_project, "08_reporting/metrics.json").read_text())


def versions(project: Path, path: str) -> list[str]:
    return sorted(folder.name for folder in (project / "data" / "smoke" / path).iterdir())


def test_the_data_is_told_and_marked_as_the_sample(smoke_project, metrics):
    assert metrics["data"]["source"] == "sample"
    assert metrics["data"]["canonical_mnist"] is False
    counts = [metrics["data"][split] for split in ("train", "validation", "test")]
    assert counts == [3667, 333, 1000]
    log = (smoke_project / "first_run.log").read_text()
    assert "Running 'ingestion' first: there is no 'mnist' yet." in log
    assert "These numbers are not MNIST's." in log


def test_the_metrics_follow_from_the_predictions(smoke_project, metrics):
    for model in MODELS:
        table = pd.read_csv(latest(smoke_project, f"07_model_output/{model}_predictions.csv"))
        assert len(table) == 1000
        right = (table["label"] == table["prediction"]).sum()
        reported = metrics["models"][model]
        assert reported["accuracy"] == right / 1000
        assert reported["accuracy"] > 0.6
        low, high = reported["accuracy_ci95"]
        assert low < reported["accuracy"] < high
        assert np.sum(reported["confusion"]) == 1000
        assert reported["parameters"] > 1000
        assert reported["training_seconds"] > 0
    assert 0 <= metrics["comparison"]["cnn_vs_dense"]["mcnemar_p"] <= 1


def test_the_predictions_follow_from_the_saved_model(smoke_project):
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
    paths = (
        "06_models/cnn.keras",
        "05_model_input/test.hdf5",
        "07_model_output/cnn_predictions.csv",
    )
    subprocess.run(
        [sys.executable, "-c", script, *(str(latest(smoke_project, path)) for path in paths)],
        check=True,
        cwd="/",
    )


@pytest.mark.parametrize("figure", ["augmented_digits", *FIGURES, *LOOKED_INTO])
def test_each_figure_is_a_picture(smoke_project, figure):
    picture = Image.open(latest(smoke_project, f"08_reporting/{figure}.png"))
    assert picture.width >= 900
    assert len(picture.convert("L").getcolors(256)) > 20


def test_all_outputs_have_the_version_of_the_run(smoke_project):
    data = smoke_project / "data" / "smoke"
    folders = [path.parent.name for path in data.rglob("*") if path.is_file()]
    assert len(set(folders)) == 1
    figures = 1 + len(FIGURES) + len(LOOKED_INTO)
    tables_and_texts = len(("metrics", "layers", "corruptions", "confidences", "report", "card"))
    assert len(folders) == 1 + 4 + 4 * len(MODELS) + figures + tables_and_texts + 1


def test_the_run_is_written_up(smoke_project, metrics):
    path = latest(smoke_project, "08_reporting/run_manifest.json")
    manifest = json.loads(path.read_text())
    assert manifest["id"] == path.parent.name
    assert manifest["environment"] == "smoke"
    assert manifest["asked"]["env"] == "smoke"
    assert manifest["parameters"]["training"]["epochs"] == 2
    assert manifest["data"]["sha256_x_train"] == metrics["data"]["sha256_x_train"]
    assert manifest["saved"]["metrics"] == manifest["id"]
    assert manifest["loaded"]["cnn.model"] == manifest["id"]
    assert manifest["packages"]["tensorflow"]
    assert manifest["node_seconds"]["cnn.train_model"] > 0.1
    assert manifest["seconds"] > sum(manifest["node_seconds"].values())
    assert 200 < manifest["peak_memory_mib"] < 20_000


def test_raw_data_stays_as_it_was_ingested(smoke_project):
    with h5py.File(latest(smoke_project, "01_raw/mnist.hdf5")) as file:
        assert set(file) == {"x_train", "y_train", "x_test", "y_test"}
        assert file["x_train"].fletcher32
        assert file.attrs["source"].decode() == "sample"


def test_a_second_run_gives_the_same_metrics(smoke_project, metrics, finished_project):
    finished = kedro(finished_project, "run", "--env", "smoke")
    assert finished.returncode == 0, finished.stderr
    again = json.loads(latest(finished_project, "08_reporting/metrics.json").read_text())
    first = json.loads(json.dumps(metrics))
    for run in (first, again):
        for model in run["models"].values():
            del model["training_seconds"]
    assert again == first
    assert len(versions(finished_project, "01_raw/mnist.hdf5")) == 1
    assert len(versions(finished_project, "06_models/cnn.keras")) == 2


SLICES_WITHOUT_TENSORFLOW = {
    "--pipelines ingestion": {"01_raw/mnist.hdf5"},
    "--pipelines data_processing": {
        "05_model_input/train.hdf5",
        "05_model_input/validation.hdf5",
        "05_model_input/test.hdf5",
        "05_model_input/pixel_statistics.json",
    },
    "--tags data_processing": {
        "05_model_input/train.hdf5",
        "05_model_input/validation.hdf5",
        "05_model_input/test.hdf5",
        "05_model_input/pixel_statistics.json",
    },
    "--to-outputs pixel_statistics": {
        "05_model_input/train.hdf5",
        "05_model_input/validation.hdf5",
        "05_model_input/pixel_statistics.json",
    },
    "--tags figures": {f"08_reporting/{figure}.png" for figure in FIGURES},
    "--from-nodes draw_worst_mistakes": {
        "08_reporting/worst_mistakes.png",
        "08_reporting/report.html",
    },
    "--from-inputs cnn.predictions --to-outputs confusion_matrix": {
        "08_reporting/confusion_matrix.png"
    },
}


@pytest.mark.parametrize("arguments", SLICES_WITHOUT_TENSORFLOW)
def test_a_slice_makes_its_outputs_without_tensorflow(finished_project, arguments):
    script = """
import sys
from kedro.framework.cli import main
try:
    main()
finally:
    assert "tensorflow" not in sys.modules and "keras" not in sys.modules, "imported"
"""
    first = {path: versions(finished_project, path) for path in _paths(finished_project)}
    run = ("run", "--env", "smoke", *arguments.split())
    finished = python(finished_project, "-c", script, *run)
    assert finished.returncode == 0, finished.stderr
    made = {
        path
        for path in _paths(finished_project)
        if len(versions(finished_project, path)) > len(first[path])
    }
    assert made == {"08_reporting/run_manifest.json", *SLICES_WITHOUT_TENSORFLOW[arguments]}


def _paths(project: Path) -> set[str]:
    data = project / "data" / "smoke"
    return {path.relative_to(data).as_posix() for path in data.glob("*/*")}


def test_reporting_alone_takes_the_latest_models(finished_project, metrics):
    finished = kedro(finished_project, "run", "--env", "smoke", "--pipelines", "reporting")
    assert finished.returncode == 0, finished.stderr
    again = json.loads(latest(finished_project, "08_reporting/metrics.json").read_text())
    assert again == metrics
    assert len(versions(finished_project, "06_models/cnn.keras")) == 1


def test_only_missing_outputs_makes_what_is_missing(finished_project):
    shutil.rmtree(finished_project / "data" / "smoke" / "08_reporting" / "class_balance.png")
    run = ("run", "--env", "smoke", "--only-missing-outputs")
    finished = kedro(finished_project, *run)
    assert finished.returncode == 0, finished.stderr
    assert "Done: draw_class_balance" in finished.stderr
    assert finished.stderr.count("Done: ") == 1
    manifests = versions(finished_project, "08_reporting/run_manifest.json")
    assert len(manifests) == 2
    again = kedro(finished_project, *run)
    assert "Nothing to do: all outputs are there." in again.stderr
    assert versions(finished_project, "08_reporting/run_manifest.json") == manifests


def test_parameters_of_the_command_line_count(finished_project):
    run = ("run", "--env", "smoke", "--tags", "dense", "--params", "training.epochs=1")
    finished = kedro(finished_project, *run)
    assert finished.returncode == 0, finished.stderr
    history = json.loads(latest(finished_project, "06_models/dense_history.json").read_text())
    assert history["epochs"] == 1
    assert len(versions(finished_project, "06_models/cnn.keras")) == 1


def test_a_named_source_is_ingested_though_there_is_mnist(finished_project, mnist, tmp_path):
    path = tmp_path / "mine.h5"
    with h5py.File(path, "w") as file:
        for key in ("x_train", "y_train", "x_test", "y_test"):
            file[key] = mnist[key]
    run = ("run", "--env", "smoke", "--pipelines", "data_processing")
    finished = kedro(finished_project, *run, "--params", f"ingestion.source={path}")
    assert finished.returncode == 0, finished.stderr
    assert len(versions(finished_project, "01_raw/mnist.hdf5")) == 2
    with h5py.File(latest(finished_project, "05_model_input/test.hdf5")) as file:
        assert file["images"].shape == (200, 28, 28, 1)
        assert file.attrs["source"].decode() == str(path)


def test_python_m_runs_the_project_too(finished_project):
    run = ("-m", "mnist_kedro", "--env", "smoke", "--tags", "figures")
    finished = python(finished_project, *run)
    assert finished.returncode == 0, finished.stderr
    assert len(versions(finished_project, "08_reporting/class_balance.png")) == 2


def test_the_models_are_chosen_by_a_parameter(project):
    """Those that no default run trains; the figures of single predictions are of the first."""
    models = "training.models=[lenet5,resnet,capsnet]"
    finished = kedro(project, "run", "--env", "smoke", "--params", f"training.epochs=1,{models}")
    assert finished.returncode == 0, finished.stderr
    metrics = json.loads(latest(project, "08_reporting/metrics.json").read_text())
    assert list(metrics["models"]) == ["lenet5", "resnet", "capsnet"]
    assert list(metrics["comparison"]) == [
        "lenet5_vs_resnet",
        "lenet5_vs_capsnet",
        "resnet_vs_capsnet",
    ]
    assert {path.name for path in (project / "data/smoke/06_models").glob("*.keras")} == {
        "lenet5.keras",
        "resnet.keras",
        "capsnet.keras",
    }
    again = kedro(project, "run", "--env", "smoke", "--tags", "figures", "--params", models)
    assert again.returncode == 0, again.stderr
    assert "draw_worst_mistakes" in again.stderr


def test_an_ensemble_is_reported_beside_its_members(project):
    """Trained one by one, averaged, in the comparison; the report alone is the same again."""
    chosen = "training.models=[dense],training.members=2"
    finished = kedro(project, "run", "--env", "smoke", "--params", chosen)
    assert finished.returncode == 0, finished.stderr
    assert "dense_2: epoch 2 of 2" in finished.stderr
    metrics = json.loads(latest(project, "08_reporting/metrics.json").read_text())
    assert list(metrics["models"]) == ["dense", "dense_2", "dense_ensemble"]
    assert list(metrics["comparison"]) == ["dense_vs_dense_ensemble"]
    ensemble = metrics["models"]["dense_ensemble"]
    assert ensemble["members"]["seeds"] == [0, 1]
    tables = [
        pd.read_csv(latest(project, f"07_model_output/{name}_predictions.csv"))
        for name in ("dense", "dense_2")
    ]
    voted = sum(table.filter(regex="^p[0-9]$").to_numpy() for table in tables).argmax(axis=1)
    assert ensemble["errors"] == (voted != tables[0]["label"]).sum()
    again = kedro(project, "run", "--env", "smoke", "--pipelines", "reporting", "--params", chosen)
    assert again.returncode == 0, again.stderr
    assert json.loads(latest(project, "08_reporting/metrics.json").read_text()) == metrics


def test_runs_are_compared(finished_project):
    options = ("run", "--env", "smoke")
    again = kedro(finished_project, *options, "--params", "training.epochs=1,training.models=[cnn]")
    assert again.returncode == 0, again.stderr
    compared = kedro(finished_project, *options, "--pipelines", "compare_runs")
    assert compared.returncode == 0, compared.stderr
    runs = pd.read_csv(latest(finished_project, "08_reporting/runs.csv"))
    assert runs["model"].tolist() == ["cnn", "dense", "cnn"]
    assert runs["run"].tolist() == sorted(runs["run"])
    assert "training.epochs: 2 → 1" in runs["changed"].iloc[-1]
    with Image.open(latest(finished_project, "08_reporting/runs_compared.png")) as picture:
        assert picture.width > 900


def test_without_a_run_there_is_nothing_to_compare(project):
    finished = kedro(project, "run", "--env", "smoke", "--pipelines", "compare_runs")
    assert finished.returncode == 1
    *_, last = finished.stderr.splitlines()
    assert "all_metrics, all_run_manifests: not there" in last
    assert "make it with 'kedro run --env smoke'." in last
