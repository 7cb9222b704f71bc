"""Two runs of one project at the same time, as when a colleague starts another one."""

import json

import pandas as pd
import pytest
from kedro.io import DataCatalog
from kedro.io.core import DatasetError, Version
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner
from kedro_datasets.json import JSONDataset
from pluggy import PluginManager

from mnist_kedro.hooks import VersionHooks

SEEDS = (11, 12)


@pytest.mark.slow
def test_two_runs_at_once_do_not_mix(finished):
    before = {*finished.versions("08_reporting/metrics.json")}
    options = [f"training.seed={seed},data_processing.seed={seed}" for seed in SEEDS]
    run = ("run", "--env", "smoke", "--to-outputs", "metrics", "--params")
    runs = [finished.start(*run, option) for option in options]
    for run in runs:
        outcome = run.wait()
        assert outcome.status == 0, outcome.log
    versions = {*finished.versions("08_reporting/metrics.json")} - before
    assert len(versions) == len(SEEDS)
    seeds = set()
    for version in versions:

        def path(name, version=version):
            return finished.data / name / version / name.rpartition("/")[2]

        metrics = json.loads(path("08_reporting/metrics.json").read_text())
        for model, reported in metrics["models"].items():
            history = json.loads(path(f"06_models/{model}_history.json").read_text())
            predictions = pd.read_csv(path(f"07_model_output/{model}_predictions.csv"))
            assert reported["seed"] == history["seed"]
            assert reported["training_seconds"] == history["training_seconds"]
            right = predictions["label"] == predictions["prediction"]
            assert reported["accuracy"] == right.mean()
            assert path(f"06_models/{model}.keras").exists()
            seeds.add(history["seed"])
    assert seeds == {*SEEDS}


@pytest.fixture
def manager():
    from kedro.framework.hooks.manager import _create_hook_manager

    manager = _create_hook_manager()
    manager.register(VersionHooks())
    return manager


def run(pipeline: Pipeline, catalog: DataCatalog, manager: PluginManager):
    asked = {"load_versions": None}
    manager.hook.before_pipeline_run(run_params=asked, pipeline=pipeline, catalog=catalog)
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
            Node(lambda *both: both, ["given", "meddled"], "seen", name="look"),
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
