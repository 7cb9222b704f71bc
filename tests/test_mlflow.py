"""``pip install ".[mlflow]"`` and ``kedro run --env mlflow``, in an environment of its own."""

import json
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.conftest import environment

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
def python(tmp_path_factory):
    """An environment that has all of this one, and MLflow."""
    folder = tmp_path_factory.mktemp("mlflow") / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    here = sysconfig.get_paths()["purelib"]
    there = subprocess.check_output(
        [python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"], text=True
    ).strip()
    Path(there, "all_of_the_other.pth").write_text(here + "\n")
    install = [python, "-m", "pip", "install", "--quiet", "kedro-mlflow>=2.0"]
    finished = subprocess.run(install, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return python


def test_a_run_is_logged(python, project):
    variables = {**environment(project), "MLFLOW_DISABLE_TELEMETRY": "true"}
    run = [python, "-m", "kedro", "run", "--env", "mlflow", "--params", QUICK]
    finished = subprocess.run(
        run, cwd=project, env=variables, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    told = subprocess.check_output([python, "-c", LOOK], cwd=project, env=variables, text=True)
    logged = json.loads(told.splitlines()[-1])

    assert logged["status"] == "FINISHED"
    assert logged["parameters"]["training.epochs"] == "2"
    assert logged["parameters"]["training.augmentation.rotation"] == "10.0"
    assert logged["parameters"]["dense.network.architecture"] == "dense"
    assert "training" not in logged["parameters"]
    (saved,) = (project / "data" / "08_reporting" / "metrics.json").glob("*/metrics.json")
    metrics = json.loads(saved.read_text())
    assert logged["metrics"]["test.dense.accuracy"] == metrics["models"]["dense"]["accuracy"]
    assert [step for step, _ in logged["loss"]] == [1, 2]
    files = set(logged["files"])
    assert {"metrics.json", "report.html", "training_curves.png", "run_manifest.json"} <= files
    assert logged["sum"] == pytest.approx(1, abs=1e-5)


@pytest.mark.skipif(find_spec("kedro_mlflow") is not None, reason="kedro-mlflow is installed here")
def test_without_kedro_mlflow_one_line_says_what_to_install(project):
    finished = subprocess.run(
        [sys.executable, "-m", "kedro", "run", "--env", "mlflow"],
        cwd=project,
        env=environment(project),
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode != 0
    assert "pip install 'mnist_kedro[mlflow]'" in finished.stdout + finished.stderr
    assert "Traceback" not in finished.stdout + finished.stderr
