"""What a cluster makes of nodes, workers, hooks and processes that go wrong."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from kedro.framework.hooks import hook_impl
from kedro.io import AbstractDataset, DataCatalog, DatasetError, MemoryDataset
from kedro.io.core import Version
from kedro.pipeline import Node, Pipeline
from kedro_datasets.json import JSONDataset

from mnist_kedro.runners import DaskRunner, preparation, run
from mnist_kedro.runners.errors import DaskRunnerError
from mnist_kedro.runners.preparation import check_code, digest_code
from tests.support.cluster import cluster
from tests.support.paths import ROOT
from tests.support.processes import background

VERSION = "2026-01-01T00.00.00.000Z"


def double(value):
    return 2 * value


class DieOnce:
    """A node that ends its process the first time."""

    def __init__(self, marker):
        self.marker = str(marker)

    def __call__(self, value):
        if not Path(self.marker).exists():
            Path(self.marker).touch()
            os._exit(1)
        return value


class DieOnceWhenSaved(AbstractDataset):
    """A dataset that ends its process the first time that it is saved."""

    def __init__(self, marker):
        self.marker = str(marker)

    def load(self):
        return 0

    def save(self, data):
        DieOnce(self.marker)(data)

    def _describe(self):
        return {}


def die(_value):
    os.abort()


def versioned(tmp_path, name):
    return JSONDataset(filepath=str(tmp_path / f"{name}.json"), version=Version(None, VERSION))


@pytest.fixture
def fragile(no_project):
    """A cluster of its own for a test that kills workers; a lost node runs again once."""
    import dask
    from distributed import LocalCluster

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address=":0", memory_limit=0
        ) as made,
    ):
        yield DaskRunner(address=made.scheduler_address)


def test_a_node_that_kills_its_workers_ends_the_run(fragile):
    pipeline = Pipeline([Node(die, "a", "b", name="die")])
    with pytest.raises(DaskRunnerError, match="die: the worker of this node was lost 2 times"):
        fragile.run(pipeline, DataCatalog({"a": MemoryDataset(1)}))


def test_a_node_that_runs_again_replaces_only_the_version_that_it_saved(fragile, tmp_path):
    """Its other outputs must not exist."""
    catalog = DataCatalog(
        {
            "a": MemoryDataset(1),
            "b": versioned(tmp_path, "b"),
            "c": DieOnceWhenSaved(tmp_path / "died"),
            "d": versioned(tmp_path, "d"),
        }
    )
    path = tmp_path / "d.json" / VERSION / "d.json"
    path.parent.mkdir(parents=True)
    path.write_text("7")
    node = Node(lambda a: (a, a, a), "a", ["b", "c", "d"], name="save")
    with pytest.raises(DatasetError, match="d: Save path .* must not exist"):
        fragile.run(Pipeline([node]), catalog)
    assert (tmp_path / "died").exists()
    assert (catalog.load("b"), path.read_text()) == (1, "7")


def test_data_in_memory_of_a_lost_worker_is_made_again(fragile, tmp_path):
    pipeline = Pipeline(
        [
            Node(double, "a", "b", name="double"),
            Node(DieOnce(tmp_path / "died"), "b", "c", name="die_once"),
        ]
    )
    assert fragile.run(pipeline, DataCatalog({"a": MemoryDataset(1)}))["c"].load() == 2
    assert (tmp_path / "died").exists()


def test_when_no_worker_is_left_the_run_ends(no_project, monkeypatch):
    monkeypatch.setattr(run, "WORKER_SECONDS", 2)
    pipeline = Pipeline([Node(die, "a", "b", name="die")])
    with cluster(ROOT, 1) as made:
        runner = DaskRunner(address=made.address)
        with pytest.raises(DaskRunnerError, match="no workers for 2 seconds; .* while running die"):
            runner.run(pipeline, DataCatalog({"a": MemoryDataset(1)}))


def test_outputs_in_memory_that_cannot_be_sent_are_refused(dask):
    pipeline = Pipeline(
        [
            Node(lambda a: (i for i in range(a)), "a", "b", name="make"),
            Node(sum, "b", "c", name="sum"),
        ]
    )
    with pytest.raises(
        DatasetError, match="b: data of type 'generator' cannot be pickled, .* a dataset"
    ):
        catalog = {"a": MemoryDataset(1), "b": MemoryDataset(copy_mode="assign")}
        dask.run(pipeline, DataCatalog(catalog))


def test_a_node_that_cannot_be_sent_is_named(dask):
    generator = (i for i in range(3))
    pipeline = Pipeline([Node(lambda: next(generator), None, "b", name="next")])
    with pytest.raises(DaskRunnerError, match="next: the node or one of its datasets cannot be"):
        dask.run(pipeline, DataCatalog())


class Unpicklable:
    def __reduce__(self):
        raise TypeError("this is not to be sent")


def test_a_task_has_only_the_datasets_of_its_node(dask):
    catalog = DataCatalog(
        {"a": MemoryDataset(1), "other": MemoryDataset(Unpicklable(), copy_mode="assign")}
    )
    assert dask.run(Pipeline([Node(double, "a", "b")]), catalog)["b"].load() == 2


def count_bytes(array):
    """Return the bytes that this worker holds, with a new array."""
    from distributed import get_worker

    stored = [part for data in get_worker().data.values() for part in outputs_in(data)]
    held = sum({id(part): part.nbytes for part in stored}.values())
    return np.full_like(array, max(held, array.max()))


def outputs_in(data):
    """Return the arrays among a node's outputs, or the one output."""
    parts = data.values() if isinstance(data, dict) else [data]
    return [part for part in parts if isinstance(part, np.ndarray)]


def test_data_in_memory_is_released_after_its_last_reader(fragile):
    """Of a chain of arrays of 8 MB, a worker holds at most three at a time."""
    names = "abcdefghij"
    nodes = [Node(count_bytes, names[i], names[i + 1], name=names[i]) for i in range(9)]
    catalog = DataCatalog({"a": MemoryDataset(np.zeros(1_000_000))})
    held = fragile.run(Pipeline(nodes), catalog)["j"].load().max()
    assert 8e6 <= held <= 3 * 8e6


def test_code_that_was_edited_after_a_process_loaded_it_is_refused(tmp_path, monkeypatch):
    (tmp_path / "edited").mkdir()
    code = tmp_path / "edited" / "__init__.py"
    code.write_text("x = 1")
    monkeypatch.syspath_prepend(tmp_path)
    loaded = {"edited": digest_code("edited")}
    monkeypatch.setattr(preparation, "_loaded", loaded)
    check_code({"edited": digest_code("edited")}, "tcp://worker")
    code.write_text("x = 2")
    with pytest.raises(DaskRunnerError, match="tcp://worker: the code of 'edited' .* differs"):
        check_code({"edited": digest_code("edited")}, "tcp://worker")


def wait_and_tell(_value):
    time.sleep(1)
    return os.getpid()


def test_readers_of_one_result_in_memory_are_spread_over_the_workers(dask):
    """Dask alone would run them one after another where the result is."""
    readers = [Node(wait_and_tell, "b", f"c{i}", name=f"read_{i}") for i in range(4)]
    pipeline = Pipeline([Node(double, "a", "b", name="make"), *readers])
    outputs = dask.run(pipeline, DataCatalog({"a": MemoryDataset(np.ones(100_000))}))
    processes = [outputs[f"c{i}"].load() for i in range(4)]
    assert sorted(map(processes.count, {*processes})) == [2, 2]


def test_a_hook_may_load_data_that_the_busy_worker_has(fragile, hooked):
    class Load:
        loaded = None

        @hook_impl
        def after_node_run(self, node, catalog):
            if node.name == "other":
                self.loaded = catalog.load("b")

    pipeline = Pipeline(
        [
            Node(double, "a", "b", name="make"),
            Node(double, "a", "c", name="other"),
            Node(lambda b, c: b + c, ["b", "c"], "d", name="add"),
        ]
    )
    hook = Load()
    fragile.run(pipeline, DataCatalog({"a": MemoryDataset(1)}), hooked(hook))
    assert hook.loaded == 2


def compute_with_dask(values):
    """Compute with the workers that also run nodes."""
    import dask

    return sum(dask.compute(*[dask.delayed(double)(value) for value in values]))


def test_nodes_may_compute_with_dask(no_project):
    from distributed import LocalCluster

    nodes = [Node(compute_with_dask, "a", f"b{i}", name=f"compute_{i}") for i in range(4)]
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as made:
        runner = DaskRunner(address=made.scheduler_address)
        outputs = runner.run(Pipeline(nodes), DataCatalog({"a": MemoryDataset([1, 2, 3])}))
    assert [dataset.load() for dataset in outputs.values()] == [12] * 4


SLOW_RUN = """
import sys, time
from pathlib import Path
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from kedro_datasets.json import JSONDataset
from mnist_kedro.runners import DaskRunner

address, folder = sys.argv[1:]

def slow(value):
    Path(folder, "started").touch()
    time.sleep(4)
    Path(folder, "ended").touch()
    return value

catalog = DataCatalog({"a": MemoryDataset(1), "b": JSONDataset(filepath=folder + "/b.json")})
DaskRunner(address=address).run(Pipeline([Node(slow, "a", "b", name="slow")]), catalog)
"""


def wait_until(path):
    while not path.exists():
        time.sleep(0.05)


@pytest.mark.slow
def test_after_the_loss_of_the_starting_process_nothing_is_saved(dask, workers, tmp_path):
    script = tmp_path / "slow_run.py"
    script.write_text(SLOW_RUN)
    with background(str(script), workers, str(tmp_path), folder=ROOT) as started:
        wait_until(tmp_path / "started")
        started.kill()
    wait_until(tmp_path / "ended")
    outputs = dask.run(Pipeline([Node(double, "a", "b")]), DataCatalog({"a": MemoryDataset(1)}))
    assert outputs["b"].load() == 2  # the workers are free
    time.sleep(1)
    assert not (tmp_path / "b.json").exists()


def test_workers_that_are_threads_run_nodes_one_at_a_time(no_project, monkeypatch):
    from distributed import LocalCluster

    for variable in ("TQDM_DISABLE", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        monkeypatch.setenv(variable, "1")
    at_work = []

    def alone(number):
        at_work.append(number)
        time.sleep(0.2)
        found = len(at_work)
        at_work.remove(number)
        return found

    nodes = [Node(alone, f"number_{i}", f"found_{i}", name=f"alone_{i}") for i in range(3)]
    catalog = DataCatalog({f"number_{i}": MemoryDataset(i) for i in range(3)})
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0"
    ) as made:
        outputs = DaskRunner(address=made.scheduler_address).run(Pipeline(nodes), catalog)
    assert [outputs[f"found_{i}"].load() for i in range(3)] == [1, 1, 1]


@pytest.mark.slow
def test_hooks_of_a_run_are_called_by_the_main_thread(dask, hooked):
    """As MLflow needs, which keeps its run for each thread."""
    import threading

    class Where:
        def __init__(self):
            self.threads = set()

        @hook_impl
        def before_node_run(self):
            self.threads.add(threading.current_thread())

    where = Where()
    dask.run(
        Pipeline([Node(double, "a", "b"), Node(double, "b", "c")]),
        DataCatalog({"a": MemoryDataset(1)}),
        hooked(where),
    )
    assert where.threads == {threading.main_thread()}
