import logging

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline

from mnist_kedro.errors import InputError
from mnist_kedro.hooks import InputHooks, ProgressHooks
from tests.conftest import ingestion

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
