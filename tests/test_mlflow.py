"""``pip install ".[mlflow]"`` and ``kedro run --env mlflow``, in an environment of its own."""

import json
import sysconfig
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.parameters import configured
from tests.support.project import python

QUICK = (
    "ingestion.source=sample,training.models=[dense],training.epochs=2,"
    "reporting.robustness_digits=20"
)
LOOK = """
import json, sys
import mlflow, mlflow.keras, numpy as np

mlflow.set_tracking_uri("sqlite:///data/mlflow.sqlite3")
(run,) = mlflow.search_runs(experiment_names=["mnist_kedro"], output_format="list")
client = mlflow.MlflowClient()
files = [file.path for file in client.list_artifacts(run.info.run_id)]
history = client.get_metric_history(run.info.run_id, "training.dense.loss")
loss = [(point.step, point.value) for point in history]
(logged,) = mlflow.search_logged_models([run.info.experiment_id], output_format="list")
model = mlflow.keras.load_model(f"models:/{logged.model_id}")
read = model.predict(np.zeros((1, 28, 28, 1), np.uint8), verbose=0)
print(json.dumps({
    "status": run.info.status, "parameters": run.data.params, "metrics": run.data.metrics,
    "files": files, "loss": loss, "sum": float(read.sum()),
}))
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The Python of an environment that has all of this one, and MLflow."""
    folder = tmp_path_factory.mktemp("mlflow")
    program = folder / "venv" / "bin" / "python"
    made = python(folder, "-m", "venv", str(folder / "venv"))
    assert made.returncode == 0, made.stderr
    where = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    there = python(folder, "-c", where, program=program).stdout.strip()
    here = sysconfig.get_paths()["purelib"]
    Path(there, "all_of_the_other.pth").write_text(here + "\n")
    installed = python(
        folder, "-m", "pip", "install", "--quiet", "kedro-mlflow>=2.0", program=program
    )
    assert installed.returncode == 0, installed.stderr
    return program


@pytest.mark.slow
@pytest.mark.parametrize("runner", ["SequentialRunner", "mnist_kedro.runners.DaskRunner"])
def test_a_run_is_logged(program, project, monkeypatch, runner):
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    run = ("-m", "kedro", "run", "--env", "mlflow", "--params", QUICK, "--runner", runner)
    finished = python(project.folder, *run, program=program)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    told = python(project.folder, "-c", LOOK, program=program)
    assert told.returncode == 0, told.stderr
    logged = json.loads(told.stdout.splitlines()[-1])

    assert logged["status"] == "FINISHED"
    assert logged["parameters"]["training.epochs"] == "2"
    rotation = float(configured("mlflow")["training"]["augmentation"]["rotation"])
    assert logged["parameters"]["training.augmentation.rotation"] == str(rotation)
    assert logged["parameters"]["dense.network.architecture"] == "dense"
    assert "training" not in logged["parameters"]
    (saved,) = (project.folder / "data" / "08_reporting" / "metrics.json").glob("*/metrics.json")
    metrics = json.loads(saved.read_text())
    assert logged["metrics"]["test.dense.accuracy"] == metrics["models"]["dense"]["accuracy"]
    assert [step for step, _ in logged["loss"]] == [1, 2]
    files = set(logged["files"])
    assert {"metrics.json", "report.html", "training_curves.png", "run_manifest.json"} <= files
    assert logged["sum"] == pytest.approx(1, abs=1e-5)


@pytest.mark.skipif(find_spec("kedro_mlflow") is not None, reason="kedro-mlflow is installed here")
def test_without_kedro_mlflow_one_line_says_what_to_install(project):
    outcome = project.kedro("run", "--env", "mlflow")
    assert outcome.status == 1
    assert "pip install 'mnist_kedro[mlflow]'" in outcome.last_line
    assert "Traceback" not in outcome.log
