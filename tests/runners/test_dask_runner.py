"""Pipelines on a real Dask cluster: the same results, also when a worker is killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading

import pandas as pd
import pytest

from mnist_kedro.errors import InputError
from mnist_kedro.runners import DaskRunner
from mnist_kedro.sources.sample import SAMPLE
from tests.conftest import PATIENCE, environment, latest
from tests.runners.cluster import cluster

ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
ENSEMBLE = "training.members=2,training.models=[cnn],training.epochs=6"


@pytest.fixture(autouse=True)
def _interruptible():
    """What a shell runs in the background ignores Ctrl-C, and so would what that starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def start(project, *arguments, start_new_session=False, **variables):
    return subprocess.Popen(
        [sys.executable, "-m", "kedro", "run", "--env", "smoke", *arguments],
        cwd=project,
        env={**environment(project), **variables},
        start_new_session=start_new_session,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )


def run(project, *arguments, **variables):
    process = start(project, *arguments, **variables)
    log = process.communicate(timeout=PATIENCE)[1]
    return process.returncode, log


def on(cluster):
    return (
        "--runner", "mnist_kedro.runners.DaskRunner",
        "--runner-params", f"address={cluster.address}",
    )  # fmt: skip


def without_seconds(value):
    if isinstance(value, dict):
        return {k: without_seconds(v) for k, v in value.items() if "seconds" not in k}
    return value


def metrics(project):
    return without_seconds(json.loads(latest(project, "08_reporting/metrics.json").read_text()))


@pytest.fixture(scope="module")
def sequential(smoke_project, tmp_path_factory):
    """What Kedro's own runner makes of an ensemble, with one thread as each worker has."""
    project = tmp_path_factory.mktemp("sequential") / "project"
    shutil.copytree(smoke_project, project)
    status, log = run(project, "--params", ENSEMBLE, **ONE_THREAD)
    assert status == 0, log
    return metrics(project)


@pytest.fixture
def two_workers(finished_project):
    with cluster(finished_project, 2) as made:
        yield made


def test_an_ensemble_is_what_it_is_on_one_machine(finished_project, two_workers, sequential):
    status, log = run(finished_project, *on(two_workers), "--params", ENSEMBLE)
    assert status == 0, log
    assert metrics(finished_project) == sequential
    assert "2 Dask workers." in log
    assert "cnn: epoch 6 of 6" in log  # told by a worker
    manifest = json.loads(latest(finished_project, "08_reporting/run_manifest.json").read_text())
    assert {"train", "cnn.model", "metrics"} <= manifest["loaded"].keys() | manifest["saved"].keys()
    assert manifest["data"]["source"] == "sample"
    assert "cnn_2.train_model" in manifest["node_seconds"]
    assert manifest["asked"]["runner"] == "mnist_kedro.runners.DaskRunner"
    checkpoints = finished_project / "data" / "smoke" / "06_models" / "checkpoints"
    assert not list(checkpoints.rglob("*.hdf5"))


def test_the_corruption_suite_is_shared_by_the_workers(finished_project, two_workers):
    asked = ("--tags", "robustness", "--to-outputs", "corruption_accuracies", "--params")
    digits = "reporting.robustness_digits=100"
    status, log = run(finished_project, *asked, digits, **ONE_THREAD)
    assert status == 0, log
    whole = latest(finished_project, "08_reporting/corruption_accuracies.csv")
    parts = f"{digits},reporting.corruption_parts=3"
    status, log = run(finished_project, *on(two_workers), *asked, parts)
    assert status == 0, log
    assert "Done: evaluate_corruptions_3" in log
    made = latest(finished_project, "08_reporting/corruption_accuracies.csv")
    assert made != whole
    assert made.read_bytes() == whole.read_bytes()


def test_searches_find_what_they_find_one_after_the_other(finished_project, two_workers):
    asked = ("--pipelines", "tuning", "--params")
    sweep = "tuning.trials=4,tuning.searches=2,training.epochs=1"
    models = finished_project / "data" / "smoke" / "06_models"

    def search(*runner, **variables):
        status, log = run(finished_project, *runner, *asked, sweep, **variables)
        assert status == 0, log
        assert "search 2, trial 4: validation accuracy" in log
        storages = sorted(models.glob("tuning*"))
        assert [path.name for path in storages] == ["tuning.sqlite3", "tuning_2.sqlite3"]
        for storage in storages:  # so that the next search begins anew
            storage.unlink()
        trials = pd.read_csv(latest(finished_project, "08_reporting/tuning_trials.csv"))
        chosen = latest(finished_project, "08_reporting/tuned_parameters.yml").read_text()
        return trials.drop(columns="seconds"), chosen

    one_by_one, chosen_then = search(**ONE_THREAD)
    side_by_side, chosen = search(*on(two_workers))
    assert list(side_by_side["trial"]) == [1, 2, 3, 4]
    assert list(side_by_side["search"]) == [1, 2, 1, 2]
    pd.testing.assert_frame_equal(side_by_side, one_by_one)
    assert chosen == chosen_then


def test_pictures_are_shared_by_the_workers(finished_project, two_workers):
    images = latest(finished_project, "01_raw/mnist.hdf5")
    asked = ("--pipelines", "inference", "--params", f"inference.images={images}")
    status, log = run(finished_project, *asked, **ONE_THREAD)
    assert status == 0, log
    whole = latest(finished_project, "07_model_output/digit_predictions.csv")
    asked = (*asked[:-1], f"{asked[-1]},inference.parts=3")
    status, log = run(finished_project, *on(two_workers), *asked)
    assert status == 0, log
    assert "Done: read_pictures_part_3" in log
    made = latest(finished_project, "07_model_output/digit_predictions.csv")
    assert made != whole
    assert made.read_bytes() == whole.read_bytes()
    assert len(made.read_bytes().splitlines()) == 5001


def test_a_worker_that_is_killed_is_done_without(finished_project, two_workers, sequential):
    process = start(finished_project, *on(two_workers), "--params", ENSEMBLE)
    lines = []
    with process.stderr:
        for line in process.stderr:
            lines.append(line)
            if sum("epoch 1 of 6" in line for line in lines) == 2:  # each trains one
                os.kill(two_workers.workers[0].pid, signal.SIGKILL)
                break
        lines += process.stderr.readlines()
    assert process.wait(PATIENCE) == 0, lines
    assert "Lost 1 Dask worker; what ran there runs again." in "".join(lines)
    assert metrics(finished_project) == sequential
    assert sum("epoch 1 of 6" in line for line in lines) == 3  # one of the two again


def read_until(process, text, lines):
    """Read a run's log up to a line with a text."""
    for line in process.stderr:
        lines.append(line)
        if text in line:
            return
    pytest.fail("".join(lines))


def end(process, lines):
    """The status of a run, all of whose log is read."""
    with process.stderr:
        lines += process.stderr.readlines()
    return process.wait(PATIENCE)


def test_a_run_waits_for_workers_when_none_is_left(finished_project, sequential):
    with cluster(finished_project, 0) as made:
        threading.Timer(5, made.add_worker).start()
        lines = []
        process = start(finished_project, *on(made), "--params", ENSEMBLE)
        read_until(process, "epoch 1 of 6", lines)
        made.workers[0].kill()
        read_until(process, "None is left", lines)
        made.add_worker()
        assert end(process, lines) == 0, lines
    assert f"'dask worker {made.address}'" in "".join(lines)
    assert metrics(finished_project) == sequential


def test_a_scheduler_that_goes_away_is_told_in_one_line(finished_project, two_workers):
    lines = []
    process = start(finished_project, *on(two_workers), "--params", ENSEMBLE)
    read_until(process, "epoch 1 of 6", lines)
    two_workers.scheduler.kill()
    assert end(process, lines) == 1
    last = f"Error: {two_workers.address}: the Dask scheduler went away"
    assert lines[-1].startswith(last), lines
    assert "Traceback" not in "".join(lines)


def test_ctrl_c_ends_what_runs_on_the_workers_and_a_training_goes_on(finished_project, two_workers):
    """As it does on one machine: docs/reliability.md, 19."""
    lines = []
    process = start(finished_project, *on(two_workers), "--params", ENSEMBLE)
    read_until(process, "epoch 2 of 6", lines)
    process.send_signal(signal.SIGINT)
    assert end(process, lines) == 130
    assert "is kept; the same command with --params training.resume=true" in lines[-1]
    assert [worker.poll() for worker in two_workers.workers] == [None, None]

    resumed = ("--pipelines", "training", "--params", f"{ENSEMBLE},training.resume=true")
    status, log = run(finished_project, *on(two_workers), *resumed)
    assert status == 0, log
    assert "epoch 6 of 6" in log
    assert log.count("epoch 1 of 6") < 2  # one goes on from a later one at least


def test_ctrl_c_in_a_terminal_reaches_the_processes_of_an_own_cluster_too(finished_project):
    lines = []
    process = start(
        finished_project,
        *("--pipelines", "training", "--params", "training.models=[cnn],training.epochs=30"),
        *("--runner", "mnist_kedro.runners.DaskRunner", "--runner-params", "workers=1"),
        start_new_session=True,
    )
    read_until(process, "epoch 2 of 30", lines)
    os.killpg(process.pid, signal.SIGINT)
    assert end(process, lines) == 130
    assert lines[-1].startswith("Interrupted. cnn: epoch"), lines
    assert "Traceback" not in "".join(lines)


def test_relative_paths_are_meant_from_where_the_run_was_started(finished_project, tmp_path):
    shutil.copy(SAMPLE, finished_project / "mine.hdf5")
    with cluster(finished_project, 0) as made:
        made.add_worker(folder=tmp_path)
        made.wait_for(1)
        ingest = ("--pipelines", "ingestion", "--params", "ingestion.source=mine.hdf5")
        status, log = run(finished_project, *on(made), *ingest)
    assert status == 0, log
    assert "4000 training and 1000 test digits from 'mine.hdf5'" in log


@pytest.mark.parametrize(
    "arguments",
    [
        ("--nodes", "cnn.train_model", "--params", "training.learning_rate=1e12"),
        ("--nodes", "cnn.train_model", "--load-versions", "train:2020-01-01T00.00.00.000Z"),
    ],
    ids=["a node's own", "the catalog's"],
)
def test_a_failed_node_says_what_it_says_on_one_machine(finished_project, two_workers, arguments):
    expected, log = run(finished_project, *arguments)
    status, dask_log = run(finished_project, *on(two_workers), *arguments)
    assert status == expected == 1
    last = log.strip().splitlines()[-1]
    assert last.startswith("Error: ")
    assert dask_log.strip().splitlines()[-1] == last


def test_a_cluster_of_its_own_and_data_in_memory(finished_project, digits, tmp_path):
    """Some pictures go from one node to the next without a file."""
    import numpy as np
    from PIL import Image

    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for i in range(30):
        Image.fromarray(np.asarray(digits["images"])[i, ..., 0]).save(pictures / f"{i:02}.png")
    status, log = run(
        finished_project,
        *("--pipelines", "inference", "--params", f"inference.images={pictures}"),
        *("--runner", "mnist_kedro.runners.DaskRunner", "--runner-params", "workers=2"),
    )
    assert status == 0, log
    assert "30 pictures, of which 0 have no digit." in log
    assert latest(finished_project, "08_reporting/contact_sheet.png").exists()
    assert "distributed" not in log


def test_without_a_scheduler_one_line_says_so(finished_project):
    arguments = ("--runner", "mnist_kedro.runners.DaskRunner", "--runner-params")
    status, log = run(finished_project, *arguments, "address=tcp://127.0.0.1:1")
    assert status == 1
    assert "tcp://127.0.0.1:1: no Dask scheduler answers there" in log.splitlines()[-1]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"is_async": True}, "no --async"),
        ({"workers": 0}, "whole number ≥ 1"),
        ({"workers": 2, "address": "tcp://x:1"}, "not for a cluster with an 'address'"),
    ],
)
def test_wrong_options_are_told(options, why):
    with pytest.raises(InputError, match=why):
        DaskRunner(**options)


def test_without_dask_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install 'mnist_kedro\[dask\]'"):
        DaskRunner()
