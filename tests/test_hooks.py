import logging
import os
import tempfile
from pathlib import Path

import pytest
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline

from mnist_kedro.datasets import CheckpointsDataset
from mnist_kedro.errors import InputError
from mnist_kedro.hooks import CheckpointHooks, OutputHooks, ProgressHooks
from tests.support.users import another_user

PIPELINE = Pipeline([Node(func=len, inputs="mnist", outputs="count", name="count")])


def test_tells_the_time_of_each_node(caplog):
    caplog.set_level(logging.INFO)
    hooks, (node,) = ProgressHooks(), PIPELINE.nodes
    hooks.before_node_run(node)
    hooks.after_node_run(node)
    hooks.after_pipeline_run({"run_id": "2026", "only_missing_outputs": True})
    assert "Done: count (0.0 s)" in caplog.text
    assert "version 2026" in caplog.text


def test_removes_the_checkpoints_of_a_finished_run(tmp_path):
    catalog = DataCatalog({"cnn.checkpoints": CheckpointsDataset(filepath=str(tmp_path / "x"))})
    pipeline = Pipeline([Node(func=repr, inputs="cnn.checkpoints", outputs="text", name="train")])
    catalog.load("cnn.checkpoints").save({"seed": 0}, 1, {"epoch": 1})
    assert list(tmp_path.rglob("*.hdf5"))
    CheckpointHooks().after_pipeline_run(pipeline, catalog)
    assert not list(tmp_path.rglob("*.hdf5"))


def configured(folder):
    path = folder / "new" / "count.json"
    return DataCatalog.from_config({"count": {"type": "json.JSONDataset", "filepath": str(path)}})


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_names_the_folder_that_cannot_be_written():
    with tempfile.TemporaryDirectory() as name:  # tmp_path itself is closed to other users
        Path(name).chmod(0o755)
        folder = Path(name) / "closed"
        folder.mkdir(mode=0o555)
        told = r"closed: cannot be written \(.*denied\), but 'count' is saved there"
        catalog = configured(folder)
        with another_user(), pytest.raises(InputError, match=told):
            OutputHooks().before_pipeline_run(PIPELINE, catalog)


def test_makes_no_folder_when_it_looks_whether_it_could(tmp_path):
    catalog = configured(tmp_path)
    OutputHooks().before_pipeline_run(PIPELINE, catalog)
    assert list(tmp_path.iterdir()) == []
