"""What hooks and nodes get on a cluster; its workers are threads here, and its nodes are small."""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from kedro.framework import project
from kedro.framework.hooks import hook_impl
from kedro.framework.hooks.manager import _create_hook_manager
from kedro.io import DataCatalog, MemoryDataset
from kedro.io.core import Version
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner
from kedro_datasets.json import JSONDataset

from mnist_kedro.errors import InputError
from mnist_kedro.runners import DaskRunner
from mnist_kedro.runners.task import interrupt, pickle_task, run_task

at_work = []


def double(number):
    return 2 * number


def add(one, other):
    return {"sum": one + other}


def halves(number):
    """A generator: Kedro saves each piece."""
    yield number // 2
    yield number - number // 2


def fail(number):
    try:
        raise InputError(f"{number} is not enough")
    except InputError as error:
        raise RuntimeError("no more") from error


@pytest.fixture(scope="module")
def cluster():
    from distributed import LocalCluster

    options = {"processes": False, "dashboard_address": ":0", "memory_limit": 0}
    with LocalCluster(n_workers=2, threads_per_worker=1, **options) as cluster:
        yield cluster


@pytest.fixture
def runner(cluster, monkeypatch):
    monkeypatch.setattr(project, "PACKAGE_NAME", None)  # its log is not to be set up here
    for variable in ("TQDM_DISABLE", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        monkeypatch.setenv(variable, "1")
    monkeypatch.setattr(sys, "path", [*sys.path])
    # The workers' log is this process's, to which it would come back for ever.
    monkeypatch.setattr("distributed.Client.forward_logging", lambda *_, **__: None)
    return DaskRunner(address=cluster.scheduler_address)


class Recorder:
    """Every call, in order, with the data that it was given."""

    def __init__(self):
        self.calls = []

    @hook_impl
    def before_dataset_loaded(self, dataset_name):
        self.calls.append(("before load", dataset_name))

    @hook_impl
    def after_dataset_loaded(self, dataset_name, data):
        self.calls.append(("after load", dataset_name, data))

    @hook_impl
    def before_node_run(self, node, inputs):
        self.calls.append(("before", node.name, dict(inputs)))

    @hook_impl
    def after_node_run(self, node, outputs):
        self.calls.append(("after", node.name, dict(outputs)))

    @hook_impl
    def after_dataset_saved(self, dataset_name, data):
        self.calls.append(("saved", dataset_name, data))

    @hook_impl
    def on_node_error(self, error, node):
        self.calls.append(("error", node.name, str(error)))


def manager(*hooks):
    made = _create_hook_manager()
    for hook in hooks:
        made.register(hook)
    return made


PIPELINE = Pipeline(
    [
        Node(double, "number", "doubled", name="double"),
        Node(double, "doubled", "fourfold", name="double_again"),
        Node(add, ["doubled", "fourfold"], "total", name="add"),
    ]
)


def catalog(tmp_path):
    path = str(tmp_path / "total.json")
    return DataCatalog(
        {
            "number": MemoryDataset(3),
            "total": JSONDataset(filepath=path, version=Version(None, "2026-01-01T00.00.00.000Z")),
        }
    )


def test_hooks_get_what_they_get_on_one_machine(runner, tmp_path):
    here, there = Recorder(), Recorder()
    SequentialRunner().run(PIPELINE, catalog(tmp_path / "here"), manager(here))
    made = catalog(tmp_path / "there")
    outputs = runner.run(PIPELINE, made, manager(there), run_id="x")
    assert there.calls == here.calls
    assert outputs["total"].load() == {"sum": 18}


def test_a_hook_can_put_another_input_in_place(runner, tmp_path):
    class Instead:
        @hook_impl
        def before_node_run(self, node):
            return {"doubled": 100} if node.name == "add" else None

    made = catalog(tmp_path)
    runner.run(PIPELINE, made, manager(Instead()), run_id="x")
    assert made.load("total") == {"sum": 112}


def test_outputs_in_memory_come_back(runner):
    made = DataCatalog({"number": MemoryDataset(5)})
    outputs = runner.run(Pipeline([Node(double, "number", "doubled")]), made, run_id="x")
    assert outputs["doubled"].load() == 10


def test_a_generator_s_pieces_are_saved(runner, tmp_path):
    path = tmp_path / "half.json"
    made = DataCatalog({"number": MemoryDataset(7), "half": JSONDataset(filepath=str(path))})
    runner.run(Pipeline([Node(halves, "number", "half")]), made, manager(), run_id="x")
    assert json.loads(path.read_text()) == 4  # the last


def alone(number):
    """How many nodes this process has at work, while it works itself."""
    at_work.append(number)
    time.sleep(0.5)
    found = len(at_work)
    at_work.remove(number)
    return found


def test_a_process_has_one_node_at_a_time(runner):
    """All workers of this cluster are threads of one process."""
    nodes = [Node(alone, f"number_{i}", f"found_{i}", name=f"alone_{i}") for i in range(3)]
    made = DataCatalog({f"number_{i}": MemoryDataset(i) for i in range(3)})
    outputs = runner.run(Pipeline(nodes), made, manager(), run_id="x")
    assert [outputs[f"found_{i}"].load() for i in range(3)] == [1, 1, 1]


def linger(number):
    at_work.append(number)
    try:
        for _ in range(200):
            time.sleep(0.05)
    finally:
        at_work.remove(number)
    return number


def test_only_the_nodes_of_the_interrupted_run_end():
    task = pickle_task(Node(linger, "number", "late"), DataCatalog({"number": MemoryDataset(1)}))
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(run_task, task, {}, ".", "this run")
        while not at_work:
            time.sleep(0.01)
        interrupt("another run")
        time.sleep(0.3)
        assert not future.done()
        interrupt("this run")
        (error,) = future.result(5).errors
    assert isinstance(error, KeyboardInterrupt)
    interrupt("this run")  # nothing is at work any longer


def test_an_error_keeps_its_cause_and_is_told_to_hooks(runner):
    recorder = Recorder()
    pipeline = Pipeline([Node(fail, "number", "never", name="fail")])
    with pytest.raises(RuntimeError, match="no more") as caught:
        runner.run(pipeline, DataCatalog({"number": MemoryDataset(1)}), manager(recorder))
    assert isinstance(caught.value.__cause__, InputError)
    assert str(caught.value.__cause__) == "1 is not enough"
    assert recorder.calls[-1] == ("error", "fail", "no more")


def test_a_node_that_runs_again_replaces_what_it_saved(runner, tmp_path):
    """Its version is the run's: what is there is of the node's own first try."""
    made = catalog(tmp_path)
    runner.run(PIPELINE, made, manager(), run_id="x")
    (path,) = tmp_path.rglob("*Z/total.json")
    path.write_text("{}")
    runner.run(PIPELINE, catalog(tmp_path), manager(), run_id="x")
    assert json.loads(path.read_text()) == {"sum": 18}


def test_a_scheduler_without_workers_says_how_to_start_one(monkeypatch):
    from distributed import LocalCluster

    from mnist_kedro.runners import dask_runner

    monkeypatch.setattr(dask_runner, "WORKER_SECONDS", 0.5)
    with LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as empty:
        runner = DaskRunner(address=empty.scheduler_address)
        with pytest.raises(InputError, match=r"no workers; start one with 'dask worker .*'"):
            runner.run(PIPELINE, DataCatalog({"number": MemoryDataset(3)}), manager())
