"""Pipelines on a real Dask cluster: the same results, also when a worker is killed."""

import shutil
import signal
import sys
import threading

import numpy as np
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from PIL import Image

from mnist_kedro.datasets import HDF5Dataset
from mnist_kedro.runners import DaskRunner, dask_runner
from mnist_kedro.runners.errors import DaskRunnerError
from mnist_kedro.sources.sample import SAMPLE
from tests.support.cluster import cluster

ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
MEMBERS = "training.members=2,training.models=[cnn],training.epochs=6"
ENSEMBLE = ("--to-outputs", "metrics", "--params", MEMBERS)


def on(cluster):
    return (
        "--runner", "mnist_kedro.runners.DaskRunner",
        "--runner-params", f"address={cluster.address}",
    )  # fmt: skip


@pytest.fixture(scope="module")
def sequential(smoke, tmp_path_factory):
    """What Kedro's own runner makes of an ensemble, with one thread as each worker has."""
    project = smoke.copy(tmp_path_factory.mktemp("sequential") / "project")
    project.make(*ENSEMBLE, **ONE_THREAD)
    return project.metrics()


@pytest.fixture
def two_workers(finished):
    with cluster(finished.folder, 2) as made:
        yield made


@pytest.mark.slow
def test_an_ensemble_is_what_it_is_on_one_machine(finished, two_workers, sequential):
    log = finished.make(*on(two_workers), *ENSEMBLE)
    assert finished.metrics() == sequential
    assert "2 Dask workers." in log
    assert "cnn: epoch 6 of 6" in log  # told by a worker
    manifest = finished.latest_json("08_reporting/run_manifest.json")
    assert {"train", "cnn.model", "metrics"} <= manifest["loaded"].keys() | manifest["saved"].keys()
    assert manifest["data"]["source"] == "sample"
    assert "cnn_ensemble.train_cnn_2" in manifest["node_seconds"]
    assert manifest["asked"]["runner"] == "mnist_kedro.runners.DaskRunner"
    assert not list((finished.data / "06_models" / "checkpoints").rglob("*.hdf5"))


@pytest.mark.slow
def test_work_is_shared_by_the_workers(finished, two_workers):
    """Parts of the pictures make the same file, byte for byte."""
    predictions = "07_model_output/digit_predictions.csv"
    images = f"inference.images={finished.latest('01_raw/mnist.hdf5')}"
    finished.make("--pipelines", "inference", "--params", images, **ONE_THREAD)
    whole = finished.latest(predictions)
    asked = ("--pipelines", "inference", "--params", f"{images},inference.parts=3")
    assert "Done: read_pictures_3" in finished.make(*on(two_workers), *asked, "--verbose")
    made = finished.latest(predictions)
    assert made != whole
    assert made.read_bytes() == whole.read_bytes()
    assert len(made.read_bytes().splitlines()) == 5001


def start(project, cluster, *arguments):
    run = project.start("run", "--env", "smoke", *on(cluster), *ENSEMBLE, *arguments)
    run.wait_for("epoch 1 of 6")
    return run


@pytest.mark.slow
def test_survives_a_lost_worker(finished, two_workers, sequential):
    run = start(finished, two_workers)
    run.wait_for("epoch 1 of 6", times=2)  # each trains one
    two_workers.workers[0].kill()
    ended = run.wait()
    assert ended.status == 0, ended.log
    assert "Lost 1 Dask worker; interrupted nodes run again." in ended.log
    assert finished.metrics() == sequential
    assert ended.log.count("epoch 1 of 6") == 3  # one of the two again


@pytest.mark.slow
def test_a_run_waits_for_workers_when_none_is_left(finished, sequential):
    with cluster(finished.folder, 0) as made:
        threading.Timer(5, made.add_worker).start()
        run = start(finished, made)
        made.workers[0].kill()
        run.wait_for("No workers are left")
        made.add_worker()
        ended = run.wait()
    assert ended.status == 0, ended.log
    assert f"'dask worker {made.address}'" in ended.log
    assert finished.metrics() == sequential


@pytest.mark.slow
def test_reports_a_lost_scheduler_in_one_line(finished, two_workers):
    run = start(finished, two_workers)
    two_workers.scheduler.kill()
    ended = run.wait()
    assert ended.status == 1, ended.log
    last = f"Error: {two_workers.address}: the connection to the Dask scheduler was lost"
    assert ended.last_line.startswith(last), ended.log
    assert "Traceback" not in ended.log


@pytest.mark.slow
def test_ctrl_c_cancels_nodes_and_training_resumes(finished, two_workers):
    """As it does on one machine: docs/reliability.md, 19."""
    run = start(finished, two_workers, "--verbose")
    run.wait_for("epoch 2 of 6")
    run.send(signal.SIGINT, to_group=False)
    ended = run.wait()
    assert ended.status == 130, ended.log
    assert "run the same command with --params training.resume=true" in ended.last_line
    assert [worker.process.poll() for worker in two_workers.workers] == [None, None]

    resumed = ("--pipelines", "training", "--params", f"{MEMBERS},training.resume=true")
    log = finished.make(*on(two_workers), *resumed)
    assert "epoch 6 of 6" in log
    assert log.count("epoch 1 of 6") < 2  # one goes on from a later one at least


@pytest.mark.slow
def test_ctrl_c_in_a_terminal_reaches_the_processes_of_an_own_cluster_too(finished):
    run = finished.start(
        *("run", "--env", "smoke", "--verbose", "--pipelines", "training"),
        *("--params", "training.models=[cnn],training.epochs=30"),
        *("--runner", "mnist_kedro.runners.DaskRunner", "--runner-params", "workers=1"),
    )
    run.wait_for("epoch 2 of 30")
    run.send(signal.SIGINT)
    ended = run.wait()
    assert ended.status == 130, ended.log
    assert ended.last_line.startswith("Interrupted. cnn: epoch")
    assert "Traceback" not in ended.log


@pytest.mark.slow
def test_relative_paths_are_meant_from_where_the_run_was_started(finished, tmp_path):
    shutil.copy(SAMPLE, finished.folder / "mine.hdf5")
    with cluster(finished.folder, 0) as made:
        made.add_worker(folder=tmp_path)
        made.wait_for_workers()
        ingest = ("--pipelines", "ingestion", "--params", "ingestion.source=mine.hdf5")
        log = finished.make(*on(made), *ingest)
    assert "4,000 training and 1,000 test digits from 'mine.hdf5'" in log


@pytest.mark.slow
def test_a_failed_node_says_what_it_says_on_one_machine(finished, two_workers):
    for arguments in (
        ("--nodes", "train_cnn", "--params", "training.learning_rate=1e12"),
        ("--nodes", "train_cnn", "--load-versions", "train:2020-01-01T00.00.00.000Z"),
    ):
        expected = finished.run(*arguments)
        found = finished.run(*on(two_workers), *arguments)
        assert found.status == expected.status == 1
        assert found.last_line.startswith("Error: ")
        assert found.last_line == expected.last_line


def test_a_run_on_a_cluster_of_its_own(finished):
    """The one test on processes that is not slow."""
    on_two = ("--runner", "mnist_kedro.runners.DaskRunner", "--runner-params", "workers=2")
    log = finished.make("--pipelines", "data_processing", *on_two)
    assert "2 Dask workers." in log
    for name in ("train", "validation", "test"):
        path = f"05_model_input/{name}.hdf5"
        first, second = (
            HDF5Dataset(filepath=str(finished.data / path / version / f"{name}.hdf5")).load()
            for version in finished.versions(path)
        )
        for key in ("images", "labels"):
            np.testing.assert_array_equal(first[key], second[key])


@pytest.mark.slow
def test_a_cluster_of_its_own_and_data_in_memory(finished, digits, tmp_path):
    """Pictures go from node to node without a file."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for i in range(30):
        Image.fromarray(np.asarray(digits["images"])[i, ..., 0]).save(pictures / f"{i:02}.png")
    log = finished.make(
        *("--pipelines", "inference", "--params", f"inference.images={pictures}"),
        *("--runner", "mnist_kedro.runners.DaskRunner", "--runner-params", "workers=2"),
    )
    assert "Read 30 pictures; 0 have no digit." in log
    assert finished.latest("08_reporting/contact_sheet.png").exists()
    assert "distributed" not in log


def test_without_a_scheduler_one_line_says_so(monkeypatch):
    monkeypatch.setattr(dask_runner, "CONNECT_SECONDS", 0.5)
    runner = DaskRunner(address="tcp://127.0.0.1:1")
    with pytest.raises(
        DaskRunnerError, match="tcp://127.0.0.1:1: no Dask scheduler answers at this address"
    ):
        runner.run(Pipeline([Node(len, "x", "y")]), DataCatalog({"x": MemoryDataset([1])}))


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"is_async": True}, "not support --async"),
        ({"workers": 0}, "an integer ≥ 1"),
        ({"workers": 2, "address": "tcp://x:1"}, "either 'workers' or 'address'"),
    ],
)
def test_wrong_options_are_told(options, why):
    with pytest.raises(DaskRunnerError, match=why):
        DaskRunner(**options)


def test_without_dask_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(DaskRunnerError, match=r"pip install 'mnist_kedro\[dask\]'"):
        DaskRunner()
