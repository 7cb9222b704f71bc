"""The pipelines as an Airflow DAG, run by Airflow itself."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.conftest import environment, kedro, latest

# Airflow has an environment of its own, as docs/deployment.md says.
AIRFLOW = os.environ.get("AIRFLOW") or shutil.which("airflow")
needs_airflow = pytest.mark.skipif(
    not AIRFLOW,
    reason="Airflow is not there: pip install apache-airflow into an environment of its own, and "
    "name its program in the variable AIRFLOW",
)


def create(project, *options):
    template = ("--jinja-file", "conf/airflow_dag.py.j2", "--params", f"project={project}")
    made = kedro(project, "airflow", "create", "--env", "smoke", *template, *options)
    assert made.returncode == 0, made.stderr
    return project / "airflow_dags" / "mnist_kedro_smoke_dag.py"


def without_seconds(value):
    if isinstance(value, dict):
        return {k: without_seconds(v) for k, v in value.items() if "seconds" not in k}
    return value


def test_each_network_is_a_task(smoke_project):
    text = create(smoke_project).read_text()
    compile(text, "dag", "exec")
    assert re.findall(r'run\("([\w.]+)", "--nodes \1"\)', text) == [
        "draw_augmented_digits",
        "cnn.train_model",
        "dense.train_model",
    ]
    assert "schedule=None" in text


@needs_airflow
def test_airflow_gets_what_kedro_gets(smoke_project, finished_project, tmp_path):
    dag = create(smoke_project)
    (smoke_project / ".venv").symlink_to(sys.prefix)
    variables = {
        **environment(smoke_project),
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dag.parent),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    for command in (("db", "migrate"), ("dags", "test", "mnist_kedro")):
        done = subprocess.run(
            [AIRFLOW, *command], env=variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "state=success" in done.stdout + done.stderr
    found, expected = (
        without_seconds(json.loads(latest(project, "08_reporting/metrics.json").read_text()))
        for project in (smoke_project, finished_project)
    )
    assert found == expected
    assert latest(smoke_project, "08_reporting/report.html").exists()
