import logging
import os
import tempfile
from pathlib import Path

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline

from mnist_kedro.datasets import CheckpointsDataset
from mnist_kedro.errors import InputError
from mnist_kedro.hooks import CheckpointHooks, InputHooks, OutputHooks, ProgressHooks
from tests.conftest import another_user, ingestion

PIPELINE = Pipeline([Node(func=len, inputs="mnist", outputs="count", name="count")])


@pytest.fixture
def catalog():
    catalog = DataCatalog()
    catalog["mnist"] = MemoryDataset()
    catalog["params:ingestion"] = ingestion("sample").model_dump()
    return catalog


def before(pipeline, catalog, runtime_params=None):
    run_params = {"runtime_params": runtime_params, "env": "smoke"}
    InputHooks().before_pipeline_run(run_params, pipeline, catalog)


def test_ingests_when_mnist_is_needed_and_missing(catalog):
    before(PIPELINE, catalog)
    assert catalog.load("mnist")["source"] == "sample"


def test_leaves_mnist_alone_when_it_is_there(catalog):
    catalog.save("mnist", {"source": "mine"})
    before(PIPELINE, catalog, {"training": {"epochs": 1}})
    assert catalog.load("mnist")["source"] == "mine"


def test_ingests_anew_when_a_source_is_named(catalog):
    catalog.save("mnist", {"source": "mine"})
    before(PIPELINE, catalog, {"ingestion": {"source": "sample"}})
    assert catalog.load("mnist")["source"] == "sample"


def test_does_not_ingest_for_a_run_without_need(catalog):
    other = Pipeline([Node(func=len, inputs="params:ingestion", outputs="count")])
    before(other, catalog, {"ingestion": {"source": "sample"}})
    assert not catalog.exists("mnist")


def test_refuses_a_run_whose_inputs_are_missing(catalog):
    other = Pipeline([Node(func=len, inputs="predictions", outputs="count")])
    with pytest.raises(
        InputError, match="predictions: not there.*--env smoke --to-outputs predictions"
    ):
        before(other, catalog)


def test_tells_the_time_of_each_node(caplog):
    caplog.set_level(logging.INFO)
    hooks, (node,) = ProgressHooks(), PIPELINE.nodes
    hooks.before_node_run(node)
    hooks.after_node_run(node)
    hooks.after_pipeline_run({"run_id": "2026", "only_missing_outputs": True})
    assert "Done: count (0.0 s)" in caplog.text
    assert "version 2026" in caplog.text


def test_says_when_there_was_nothing_to_do(caplog):
    caplog.set_level(logging.INFO)
    ProgressHooks().after_pipeline_run({"run_id": "2026", "only_missing_outputs": True})
    assert "Nothing to do" in caplog.text


def test_removes_the_checkpoints_of_a_finished_run(tmp_path):
    catalog = DataCatalog({"cnn.checkpoints": CheckpointsDataset(filepath=str(tmp_path / "x"))})
    pipeline = Pipeline([Node(func=repr, inputs="cnn.checkpoints", outputs="text", name="train")])
    catalog.load("cnn.checkpoints").save({"seed": 0}, 1, {"epoch": 1})
    assert list(tmp_path.rglob("*.hdf5"))
    CheckpointHooks().after_pipeline_run(pipeline, catalog)
    assert not list(tmp_path.rglob("*.hdf5"))


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_names_the_folder_that_cannot_be_written():
    with tempfile.TemporaryDirectory() as name:  # tmp_path itself is closed to other users
        Path(name).chmod(0o755)
        folder = Path(name) / "closed"
        folder.mkdir(mode=0o555)
        _refused_for_others(folder)


def configured(folder):
    path = folder / "new" / "count.json"
    return DataCatalog.from_config({"count": {"type": "json.JSONDataset", "filepath": str(path)}})


def _refused_for_others(folder):
    catalog = configured(folder)
    with (
        another_user(),
        pytest.raises(
            InputError, match=r"closed: cannot be written \(.*denied\), but 'count' is saved there"
        ),
    ):
        OutputHooks().before_pipeline_run(PIPELINE, catalog)


def test_makes_no_folder_when_it_looks_whether_it_could(tmp_path):
    catalog = configured(tmp_path)
    OutputHooks().before_pipeline_run(PIPELINE, catalog)
    assert list(tmp_path.iterdir()) == []
