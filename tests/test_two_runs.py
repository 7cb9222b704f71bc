"""Two runs of one project at the same time, as when a colleague starts another one."""

import json
import shutil
import signal
import time
from zipfile import ZipFile

import pandas as pd
import pytest
from kedro.io import DataCatalog
from kedro.io.core import DatasetError, Version
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner
from kedro_datasets.json import JSONDataset
from pluggy import PluginManager

from mnist_kedro.hooks import VersionHooks
from tests.support.project import without_seconds

SEEDS = (11, 12)
TRAIN = ("run", "--env", "smoke", "--pipelines", "training", "--tags", "dense", "--params")
FRESH, RESUMED = "training.epochs=8", "training.epochs=8,training.resume=true"


@pytest.mark.slow
def test_two_runs_at_once_do_not_mix(finished):
    before = {*finished.versions("08_reporting/metrics.json")}
    options = [f"training.seed={seed},data_processing.seed={seed}" for seed in SEEDS]
    run = ("run", "--env", "smoke", "--params")
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
            assert f"{reported['accuracy']:.2%}" in path("08_reporting/report.html").read_text()
            seeds.add(history["seed"])
    assert seeds == {*SEEDS}


def trained(project, version):
    """Return the history of a training without the seconds, and the trained weights."""
    folder = project.data / "06_models"
    history = (folder / "dense_history.json" / version / "dense_history.json").read_text()
    with ZipFile(folder / "dense.keras" / version / "dense.keras") as archive:
        return without_seconds(json.loads(history)), archive.read("model.weights.h5")


@pytest.fixture(scope="module")
def interrupted(running):
    """The checkpoints of a killed training, in a copy, and the result that it would have had."""
    assert running.start(*TRAIN, FRESH).wait().status == 0
    run = running.start(*TRAIN, FRESH, "--verbose")
    run.wait_for("dense: epoch 3")
    run.send(signal.SIGKILL)
    run.wait()
    checkpoints = running.data / "06_models" / "checkpoints"
    copy = checkpoints.rename(checkpoints.with_name("copy_of_checkpoints"))
    return copy, trained(running, running.versions("06_models/dense.keras")[-1])


@pytest.mark.slow
@pytest.mark.parametrize("offset", [number / 10 for number in range(1, 11)])
def test_equal_and_resumed_trainings_at_once_have_equal_results(running, interrupted, offset):
    copy, expected = interrupted
    shutil.copytree(copy, copy.with_name("checkpoints"), dirs_exist_ok=True)
    before = {*running.versions("06_models/dense.keras")}
    runs = [running.start(*TRAIN, parameters) for parameters in (FRESH, RESUMED)]
    time.sleep(offset)
    runs += [running.start(*TRAIN, parameters) for parameters in (FRESH, RESUMED)]
    outcomes = [run.wait() for run in runs]
    assert [outcome.status for outcome in outcomes] == [0] * 4, outcomes
    assert "resuming after epoch" in outcomes[1].log
    versions = {*running.versions("06_models/dense.keras")} - before
    assert len(versions) == 4
    for version in versions:
        assert trained(running, version) == expected
    assert not list(running.data.rglob("checkpoints/**/epoch_*"))


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
