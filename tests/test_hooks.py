import logging
import os
import re
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from kedro.framework.hooks import _create_hook_manager, hook_impl
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline

from mnist_kedro.datasets import CheckpointsDataset
from mnist_kedro.errors import InputError
from mnist_kedro.hooks import (
    CheckpointHooks,
    OutputHooks,
    ParameterHooks,
    ProgressHooks,
    RunnerHooks,
    SummaryHooks,
    VersionHooks,
)
from mnist_kedro.hooks.inputs import command_to_create
from mnist_kedro.pipeline_registry import register_pipelines, use_parameters
from tests.support.parameters import SMOKE
from tests.support.users import another_user

PIPELINE = Pipeline([Node(func=len, inputs="mnist", outputs="count", name="count")])


def messages(caplog, level):
    return [record.getMessage() for record in caplog.records if record.levelno == level]


@pytest.fixture
def progress(caplog, monkeypatch):
    caplog.set_level(logging.DEBUG, "mnist_kedro")
    monkeypatch.setattr("mnist_kedro.hooks.progress._LOG_SECONDS", 0.1)
    hooks = ProgressHooks()
    hooks.before_pipeline_run(PIPELINE)
    return hooks


def test_logs_the_time_of_each_node_as_a_detail(caplog, progress):
    (node,) = PIPELINE.nodes
    progress.before_node_run(node)
    progress.after_node_run(node)
    assert messages(caplog, logging.DEBUG) == ["Done: count (0.0 s)"]
    assert messages(caplog, logging.INFO) == []


def test_logs_which_node_runs_after_a_while(caplog, progress):
    (node,) = PIPELINE.nodes
    progress.before_node_run(node)
    time.sleep(0.3)
    progress.after_node_run(node)
    assert messages(caplog, logging.INFO) == ["Running count (0 of 1 nodes are done)."]


@pytest.mark.parametrize("end", ["after_node_run", "on_node_error"])
def test_a_node_that_has_ended_is_not_logged_as_running(caplog, progress, end):
    (node,) = PIPELINE.nodes
    progress.before_node_run(node)
    getattr(progress, end)(node)
    time.sleep(0.3)
    assert messages(caplog, logging.INFO) == []


FILE = {"type": "text.TextDataset", "versioned": True}


def summary(caplog, datasets, **files):
    """Log the summary of a run that saved datasets and text files; return its messages."""
    caplog.set_level(logging.INFO)
    catalog = DataCatalog.from_config(
        {name: FILE | {"filepath": path} for name, path in files.items()}
    )
    for name, data in datasets.items():
        catalog[name] = MemoryDataset(data)
    versions = VersionHooks()
    versions.saved = dict.fromkeys(catalog.keys(), "2026")
    asked = {"only_missing_outputs": True, "env": "mine"}
    SummaryHooks(versions).after_pipeline_run(asked, PIPELINE, catalog)
    return [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize(
    ("source", "canonical", "named"),
    [
        ("download", True, "MNIST"),
        ("sample", False, "the sample"),
        ("mine.h5", False, "mine.h5"),
    ],
)
def test_sums_up_a_comparison_and_its_data(caplog, source, canonical, named):
    metrics = {
        "data": {"source": source, "canonical_mnist": canonical, "test": 10000},
        "models": {
            "cnn": {"accuracy": 0.9961, "accuracy_ci95": [0.9947, 0.9972]},
            "dense": {"accuracy": 0.984, "accuracy_ci95": [0.98134, 0.98626]},
        },
    }
    path = "data/predictions.csv"
    assert summary(caplog, {"metrics": metrics}, digit_predictions=path)[:-1] == [
        "Saved 2 datasets, version 2026: digit_predictions, metrics",
        f"cnn: test accuracy 99.61% (95% interval 99.47–99.72%) on 10,000 digits of {named}",
        f"dense: test accuracy 98.40% (95% interval 98.13–98.63%) on 10,000 digits of {named}",
        f"Predictions: {path}/2026/predictions.csv",
    ]


def test_sums_up_a_training(caplog):
    data = {"source": "sample", "canonical_mnist": False}
    histories = {
        f"{name}.history": {"validation_accuracy": [0.5, last], "data": data}
        for name, last in (("cnn", 0.9775), ("dense", 0.9))
    }
    *lines, step = summary(caplog, histories, **{"cnn.model": "cnn.keras", "count": "count"})
    assert lines == [
        "Saved 4 datasets, version 2026: cnn.model, count, cnn.history, dense.history",
        "Validation accuracy on the sample after the last epoch: cnn 97.75%, dense 90.00%",
        "cnn.model: cnn.keras/2026/cnn.keras",
    ]
    assert step.startswith("Next, evaluate the networks: ")
    assert step.endswith("kedro run --env mine --pipelines reporting")


def test_sums_up_the_evaluation_of_one_network(caplog):
    evaluation = {"accuracy": 0.984, "accuracy_ci95": [0.98134, 0.98626]}
    lines = summary(caplog, {"dense.evaluation": evaluation}, **{"dense.model": "dense.keras"})
    assert lines[1] == "dense: test accuracy 98.40% (95% interval 98.13–98.63%)"


def test_the_figure_that_shows_a_result_is_named(caplog):
    files = {"runs": "runs.csv", "figures.runs_compared": "runs.png"}
    assert "Figure: runs.png/2026/runs.png" in summary(caplog, {}, **files)


def test_sums_up_in_lines_that_do_not_wrap(caplog):
    line, path = summary(caplog, {}, **{f"figures.figure_{n}": f"{n}.png" for n in range(100)})
    assert path == "figures.figure_0: 0.png/2026/0.png"
    assert len(line) <= 101
    assert line.endswith("figures.figure_10, …")


def test_a_run_that_made_nothing_says_so(caplog):
    assert summary(caplog, {}) == ["Nothing to do: all outputs exist."]


def test_a_report_in_a_remote_store_has_no_link(caplog, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = {name: f"memory://x/{name}" for name in ("report", "run_manifest")}
    assert summary(caplog, {}, **files)[-2] == "Report: memory://x/report/2026/report"
    assert not list(tmp_path.iterdir())


def test_a_link_that_cannot_be_made_is_told_and_the_report_named(caplog, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "latest" / "mine").mkdir(parents=True)
    files = {name: f"{tmp_path}/{name}" for name in ("report", "run_manifest")}
    _, warning, report, _ = summary(caplog, {}, **files)
    assert re.match(r".*/latest: not updated \(.*directory.*\)\.", warning)
    assert report == "Report: report/2026/report"


def test_removes_the_checkpoints_of_a_finished_run(tmp_path):
    catalog = DataCatalog({"cnn.checkpoints": CheckpointsDataset(filepath=str(tmp_path / "x"))})
    pipeline = Pipeline([Node(func=repr, inputs="cnn.checkpoints", outputs="text", name="train")])
    catalog.load("cnn.checkpoints").save({"seed": 0}, 1, {"epoch": 1})
    assert list(tmp_path.rglob("*.hdf5"))
    CheckpointHooks().after_pipeline_run(pipeline, catalog)
    assert not list(tmp_path.rglob("*.hdf5"))


def in_threads(hooks, pipeline):
    asked = {"runner": "<kedro.runner.thread_runner.ThreadRunner object>"}
    manager = _create_hook_manager()
    manager.register(hooks)
    return lambda: manager.hook.before_pipeline_run(
        run_params=asked, pipeline=pipeline, catalog=DataCatalog()
    )


@pytest.mark.parametrize("name", ["training", "tuning"])
def test_no_network_is_trained_in_threads(name):
    use_parameters(SMOKE)
    with pytest.raises(InputError, match=r"ThreadRunner cannot run '(train_cnn|search_par)"):
        in_threads(RunnerHooks(), register_pipelines()[name])()


def test_a_process_has_one_run_at_a_time():
    hooks = RunnerHooks()
    start = in_threads(hooks, PIPELINE)
    with ThreadPoolExecutor(1) as other_thread:
        start()
        start()  # again, after Ctrl-C in a notebook
        for end in (hooks.after_pipeline_run, hooks.on_pipeline_error):
            with pytest.raises(InputError, match="another run is in progress"):
                other_thread.submit(start).result()
            end()
        other_thread.submit(start).result()


def test_a_run_that_another_hook_rejects_does_not_block_the_next():
    class Rejecting:
        @hook_impl
        def before_pipeline_run(self):
            raise InputError("no")

    manager = _create_hook_manager()
    for hooks in (RunnerHooks(), Rejecting()):
        manager.register(hooks)
    asked = {"run_params": {"runner": ""}, "pipeline": PIPELINE, "catalog": DataCatalog()}
    with ThreadPoolExecutor(2) as pool:
        for thread in [pool.submit(manager.hook.before_pipeline_run, **asked) for _ in range(4)]:
            with pytest.raises(InputError, match="no"):
                thread.result()


def check_parameter(pipeline, name, catalog=None, *, only_missing_outputs=False):
    """Check a run of a pipeline, with one parameter that was set on the command line."""
    use_parameters(SMOKE)
    given: Any = 1
    for key in reversed(name.split(".")):
        given = {key: given}
    asked = {"runtime_params": given, "only_missing_outputs": only_missing_outputs}
    ParameterHooks().before_pipeline_run(
        asked, register_pipelines()[pipeline], catalog or DataCatalog()
    )


@pytest.mark.parametrize(
    ("pipeline", "name"),
    [
        ("training", "training.augmentation.shift"),
        ("training", "cnn.network"),
        ("training", "training.members"),
        ("reporting", "training.models"),
        ("inference", "training.models"),
        ("tuning", "tuning.search.batch_size"),
        ("data_quality", "data_quality.label_errors"),
    ],
)
def test_a_parameter_that_the_run_uses_is_accepted(pipeline, name):
    check_parameter(pipeline, name)


@pytest.mark.parametrize(
    ("pipeline", "name", "told"),
    [
        (
            "reporting",
            "training.epochs",
            "nodes of 'training' do; .*--pipelines training,reporting",
        ),
        ("data_processing", "training.models", "nodes of 'training' do"),
        ("training", "resnet.network.filters", "no node uses it; .*'training.models'"),
        ("data_quality", "data_quality.steps", "no node uses it; .*'data_quality.label_errors'"),
    ],
)
def test_a_parameter_without_effect_is_rejected(pipeline, name, told):
    with pytest.raises(InputError, match=rf"parameter '{name}' has no effect: .*{told}"):
        check_parameter(pipeline, name)


def test_a_parameter_of_skipped_nodes_is_rejected():
    """Those that --only-missing-outputs skips, for what they make exists."""
    catalog = DataCatalog({"train": MemoryDataset(1)})
    check_parameter("data_processing", "data_processing.seed", catalog, only_missing_outputs=True)
    catalog["validation"] = MemoryDataset(1)
    told = "skips data_processing.split_training_digits, whose outputs exist"
    with pytest.raises(InputError, match=told):
        check_parameter(
            "data_processing", "data_processing.seed", catalog, only_missing_outputs=True
        )


def configured(folder):
    path = folder / "new" / "count.json"
    return DataCatalog.from_config({"count": {"type": "json.JSONDataset", "filepath": str(path)}})


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_names_the_folder_that_cannot_be_written():
    with tempfile.TemporaryDirectory() as name:  # tmp_path itself is closed to other users
        Path(name).chmod(0o755)
        folder = Path(name) / "closed"
        folder.mkdir(mode=0o555)
        told = r"closed: not writable \(.*denied\), but 'count' must be saved there"
        catalog = configured(folder)
        with another_user(), pytest.raises(InputError, match=told):
            OutputHooks().before_pipeline_run(PIPELINE, catalog)


def test_makes_no_folder_when_it_looks_whether_it_could(tmp_path):
    catalog = configured(tmp_path)
    OutputHooks().before_pipeline_run(PIPELINE, catalog)
    assert list(tmp_path.iterdir()) == []


def test_no_message_advises_to_create_a_network_by_teaching():
    class Complete:
        """A catalog in which every dataset exists, so that each pipeline could run."""

        def exists(self, name: str) -> bool:
            return True

    missing = ["cnn.model", "cnn.picture_calibration"]
    command = command_to_create(missing, Complete(), None)
    assert command == "kedro run --to-outputs cnn.model,cnn.picture_calibration"
