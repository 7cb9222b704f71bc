"""The pipelines as an Airflow DAG, run by Airflow itself."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.support.project import environment

pytestmark = pytest.mark.slow

# Airflow has an environment of its own, as docs/deployment.md says.
AIRFLOW = os.environ.get("AIRFLOW") or shutil.which("airflow")
needs_airflow = pytest.mark.skipif(
    not AIRFLOW,
    reason="Airflow is not there: pip install apache-airflow into an environment of its own, and "
    "name its program in the variable AIRFLOW",
)


def create(project):
    template = ("--jinja-file", "conf/airflow_dag.py.j2", "--params", f"project={project.folder}")
    made = project.kedro("airflow", "create", "--env", "smoke", *template)
    assert made.status == 0, made.log
    return project.folder / "airflow_dags" / "mnist_kedro_smoke_dag.py"


def test_each_network_is_a_task(running):
    text = create(running).read_text()
    compile(text, "dag", "exec")
    assert re.findall(r'run\("([\w.]+)", "--nodes \1"\)', text) == [
        "train_cnn",
        "train_dense",
    ]
    assert "schedule=None" in text


@needs_airflow
def test_airflow_gets_what_kedro_gets(smoke, finished, tmp_path):
    dag = create(finished)
    (finished.folder / ".venv").symlink_to(sys.prefix)
    variables = {
        **environment(finished.folder),
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dag.parent),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    for command in (("db", "migrate"), ("dags", "test", "mnist_kedro")):
        done = subprocess.run(
            [AIRFLOW, *command], env=variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "state=success" in done.stdout + done.stderr
    assert len(finished.versions("08_reporting/metrics.json")) > 1
    assert finished.metrics() == smoke.metrics()
    assert finished.latest("08_reporting/report.html").exists()
