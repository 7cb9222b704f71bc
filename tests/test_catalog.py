"""The real catalog of each environment."""

import numpy as np
import pytest
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io.core import AbstractVersionedDataset, DatasetError, is_parameter

from mnist_kedro.errors import InputError
from tests.support.catalog import stored_datasets
from tests.support.project import Project

CONTRACT_PATHS = {
    "mnist": "01_raw/mnist.hdf5",
    "train": "05_model_input/train.hdf5",
    "cnn.model": "06_models/cnn.keras",
    "dense.model": "06_models/dense.keras",
    "cnn.predictions": "07_model_output/cnn_predictions.csv",
    "metrics": "08_reporting/metrics.json",
    "report": "08_reporting/report.html",
    "model_card": "08_reporting/model_card.md",
}


@pytest.fixture(scope="module", params=["local", "smoke"])
def catalog(request, tmp_path_factory):
    project = Project.clone(tmp_path_factory.mktemp("catalog") / "project")
    bootstrap_project(project.folder)
    with KedroSession.create(project_path=project.folder, env=request.param) as session:
        catalog = session.load_context().catalog
        catalog.root = project.folder / ("data/smoke" if request.param == "smoke" else "data")
        yield catalog


def test_every_dataset_a_person_would_look_at_is_versioned_layered_and_previewed(catalog):
    for name in stored_datasets():
        dataset = catalog.get(name)
        assert isinstance(dataset, AbstractVersionedDataset), name
        assert dataset._version is not None, name
        assert dataset.metadata["kedro-viz"]["layer"], name
        assert hasattr(dataset, "preview"), name


def test_the_contracts_paths_hold(catalog):
    for name, path in CONTRACT_PATHS.items():
        assert catalog.get(name)._filepath.as_posix() == (catalog.root / path).as_posix()


def test_arrays_of_another_form_are_not_saved(catalog, mnist, digits):
    ten = np.full_like(mnist["y_test"], 10)
    for name, wrong in {
        "mnist": {**mnist, "y_test": ten},
        "train": {**digits, "images": digits["images"][..., 0]},
        "test": {**digits, "labels": digits["labels"][1:]},
    }.items():
        with pytest.raises(DatasetError) as error:
            catalog.save(name, wrong)
        assert isinstance(error.value.__cause__, InputError)
        assert not catalog.exists(name)


def test_arrays_of_the_right_form_come_back(catalog, mnist, digits):
    catalog.save("mnist", mnist)
    np.testing.assert_array_equal(catalog.load("mnist")["x_test"], mnist["x_test"])
    catalog.save("train", digits)
    np.testing.assert_array_equal(catalog.load("train")["labels"], digits["labels"])


def test_every_output_of_a_default_run_is_stored(catalog):
    """So that a slice can start at any node."""
    assert not [name for name in pipelines["__default__"].all_outputs() if not catalog.get(name)]


def test_every_parameter_that_a_node_takes_is_there(catalog):
    inputs = {name for pipeline in pipelines.values() for name in pipeline.inputs()}
    for name in filter(is_parameter, inputs):
        assert catalog.load(name) is not None
