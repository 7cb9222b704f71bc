import logging

import numpy as np
from kedro.io import DataCatalog
from kedro.runner import SequentialRunner

from mnist_kedro.pipelines.ingestion import create_pipeline
from mnist_kedro.pipelines.ingestion.nodes import ingest_mnist
from mnist_kedro.remote_store import SourceStore
from mnist_kedro.sources.layout import KEYS
from tests.support.parameters import ingestion
from tests.support.paths import FULL_MNIST, needs_full_mnist


def test_says_what_it_read(caplog):
    caplog.set_level(logging.INFO)
    mnist = ingest_mnist(ingestion("sample"), SourceStore())
    assert len(mnist["x_train"]) == 4000
    assert "4,000 training and 1,000 test digits from 'sample'" in caplog.text


def test_warns_of_doubtful_digits_with_the_command(tmp_path, mnist, caplog):
    arrays = {key: mnist[key].copy() for key in KEYS}
    arrays["x_test"][:20], arrays["y_test"][:20] = mnist["x_train"][:20], mnist["y_train"][:20]
    np.savez(tmp_path / "x.npz", extra=mnist["x_test"][:7], **arrays)
    result = ingest_mnist(ingestion(tmp_path / "x.npz"), SourceStore())
    said = "'extra' is not used; 20 of 200 test digits are also training digits"
    assert result["warnings"] == said
    assert f"{said}; 'kedro run --pipelines data_quality' shows the digits" in caplog.text


@needs_full_mnist
def test_says_that_the_content_was_verified(caplog):
    caplog.set_level(logging.INFO)
    ingest_mnist(ingestion(FULL_MNIST), SourceStore())
    assert "60,000 training and 10,000 test digits" in caplog.text
    assert "verified" in caplog.text


def test_runs_on_an_in_memory_catalog():
    catalog = DataCatalog()
    catalog["params:ingestion"] = ingestion("sample")
    catalog["source_store"] = SourceStore()
    outputs = SequentialRunner().run(create_pipeline(), catalog)
    assert outputs["mnist"].load()["source"] == "sample"
