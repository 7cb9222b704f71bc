"""Two runs of one project at the same time, as when a colleague starts another one."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog
from kedro.io.core import DatasetError, Version
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner
from kedro_datasets.json import JSONDataset
from pluggy import PluginManager

from mnist_kedro.hooks import VersionHooks
from tests.conftest import PATIENCE, environment

SEEDS = (11, 12)


def test_two_runs_at_once_do_not_mix(smoke_project, tmp_path):
    project = tmp_path / "project"
    shutil.copytree(smoke_project, project)
    data = project / "data" / "smoke"
    before = {path.name for path in (data / "08_reporting" / "metrics.json").iterdir()}
    options = [f"training.seed={seed},data_processing.seed={seed}" for seed in SEEDS]
    runs = [
        subprocess.Popen(
            [sys.executable, "-m", "kedro", "run", "--env", "smoke", "--params", option],
            cwd=project,
            env=environment(project),
            stderr=subprocess.PIPE,
        )
        for option in options
    ]
    for run in runs:
        _, log = run.communicate(timeout=PATIENCE)
        assert run.returncode == 0, log.decode()
    versions = {path.name for path in (data / "08_reporting" / "metrics.json").iterdir()} - before
    assert len(versions) == len(SEEDS)
    seeds = set()
    for version in versions:

        def path(name, version=version):
            return data / name / version / name.rpartition("/")[2]

        metrics = json.loads(path("08_reporting/metrics.json").read_text())
        for model in ("cnn", "dense"):
            history = json.loads(path(f"06_models/{model}_history.json").read_text())
            predictions = pd.read_csv(path(f"07_model_output/{model}_predictions.csv"))
            reported = metrics["models"][model]
            assert reported["seed"] == history["seed"]
            assert reported["training_seconds"] == history["training_seconds"]
            right = predictions["label"] == predictions["prediction"]
            assert reported["accuracy"] == right.mean()
            assert_made_by(path(f"06_models/{model}.keras"), predictions, data)
            seeds.add(history["seed"])
    assert seeds == set(SEEDS)


def assert_made_by(model_path, predictions, data):
    """That these are the model's own predictions."""
    import keras

    from mnist_kedro.datasets import HDF5Dataset

    path = max((data / "05_model_input" / "test.hdf5").iterdir()) / "test.hdf5"
    images = HDF5Dataset(filepath=str(path)).load()["images"]
    made = keras.models.load_model(model_path).predict(images, verbose=0)
    np.testing.assert_allclose(predictions.filter(regex="^p[0-9]$"), made, rtol=1e-3, atol=1e-6)


@pytest.fixture
def manager():
    from kedro.framework.hooks.manager import _create_hook_manager

    manager = _create_hook_manager()
    manager.register(VersionHooks())
    return manager


def run(pipeline: Pipeline, catalog: DataCatalog, manager: PluginManager):
    manager.hook.before_pipeline_run(run_params={}, pipeline=pipeline, catalog=catalog)
    return SequentialRunner().run(pipeline, catalog, manager)


def dataset(tmp_path, name, version="5"):
    return JSONDataset(filepath=str(tmp_path / name), version=Version(None, version))


def test_a_run_loads_what_it_saved_though_another_saved_later(tmp_path, manager):
    def meddle(value):
        dataset(tmp_path, "made.json", version="6").save("another run's")
        return value

    pipeline = Pipeline(
        [
            Node(lambda: "mine", None, "made", name="make"),
            Node(meddle, "made", "meddled", name="meddle"),
            Node(lambda *both: both, ["made", "meddled"], "seen", name="look"),
        ]
    )
    catalog = DataCatalog({"made": dataset(tmp_path, "made.json")})
    assert run(pipeline, catalog, manager)["seen"].load() == ("mine", "mine")


def test_a_run_takes_one_version_of_what_it_was_given(tmp_path, manager):
    dataset(tmp_path, "given.json", version="1").save("first")

    def meddle(value):
        dataset(tmp_path, "given.json", version="2").save("another run's")
        return value

    pipeline = Pipeline(
        [
            Node(meddle, "given", "meddled", name="meddle"),
            Node(
                lambda given, meddled: (given, meddled), ["given", "meddled"], "seen", name="look"
            ),
        ]
    )
    catalog = DataCatalog({"given": dataset(tmp_path, "given.json")})
    assert run(pipeline, catalog, manager)["seen"].load() == ("first", "first")


def test_runs_of_the_same_moment_do_not_overwrite_each_other(tmp_path):
    """Versions are milliseconds: Kedro looks whether there is one, and then writes."""
    one, other = (dataset(tmp_path, "x.json") for _ in range(2))
    path = one._get_save_path()
    with one._fs.open(str(path), "w") as file:
        other.save("the first to be done")
        file.write('"too late"')
        with pytest.raises(FileExistsError, match="saved by another run at the same time"):
            file.close()
    assert dataset(tmp_path, "x.json").load() == "the first to be done"
    with pytest.raises(DatasetError, match="must not exist"):
        one.save("again")
