"""Runs that are killed; see ``kill.py``, which does it 200 times."""

from pathlib import PurePath

import pytest

from tests.reliability.kill import kill_runs
from tests.reliability.runs import Reference
from tests.support.catalog import default_pipeline, stored_datasets

pytestmark = pytest.mark.slow


def made_by():
    """The options of a run that makes each file of a default run.

    What its node takes from memory is made in the same run. Of the models one is killed, and of
    each a checkpoint.
    """
    stored, pipeline = stored_datasets(), default_pipeline()
    producers = {name: node for node in pipeline.nodes for name in node.outputs}
    options = {
        "run_manifest.json": ("--nodes", "data_processing.compute_pixel_statistics"),
        "epoch_00002.hdf5": ("--nodes", "train_dense"),
    }

    def nodes_for(name):
        node = producers[name]
        needed = [other for other in node.inputs if other in producers and other not in stored]
        return {node.name}.union(*map(nodes_for, needed))

    other = ("--params", "ingestion.source=src/mnist_kedro/sources/mnist_sample.hdf5")
    for name in ("mnist", "train", "validation", "test"):  # of equal content nothing is written
        nodes = ",".join({"ingest_mnist", producers[name].name})
        options[f"{name}.hdf5"] = ("--nodes", nodes, *other)
    for name in producers.keys() & stored.keys() - {"mnist", "train", "validation", "test"}:
        if not name.startswith("dense.") or name == "dense.model":
            options[PurePath(stored[name]).name] = ("--nodes", ",".join(sorted(nodes_for(name))))
    resume = ("--params", "training.resume=true")  # what an earlier kill interrupted
    return {
        name: (*option, *resume) if name.endswith((".keras", "_history.json")) else option
        for name, option in sorted(options.items())
    }


MADE_BY = made_by()


@pytest.fixture(scope="module")
def reference(running):
    return Reference(running)


@pytest.mark.parametrize("name", MADE_BY)
def test_a_kill_during_a_save_leaves_no_version(running, reference, name):
    before = running.files()
    killed = running.run(*MADE_BY[name], kill_in=name)
    assert killed.status == -9, killed.log
    left = running.files()
    assert {path: left.get(path) for path in before} == before
    assert not [path for path in left.keys() - before.keys() if path.endswith(name)]
    reference.check(running, left.keys() - before.keys())


def test_the_run_after_all_kills_is_a_good_one(running, reference):
    reference.check_recovery(running, "--params", "training.resume=true")


def test_random_kills_lose_nothing(smoke, tmp_path):
    project = smoke.copy(tmp_path / "Projekt ü")
    assert kill_runs(project, times=2, seed=1).total() == 2
