import numpy as np
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from mnist_kedro.datasets import CheckpointsDataset
from mnist_kedro.parameters import NetworkParameters
from mnist_kedro.pipelines import MODELS
from mnist_kedro.pipelines.training import create_pipeline
from mnist_kedro.pipelines.training.nodes import train_model
from tests.models.test_batches import parameters

STATISTICS = {"mean": 33.3, "standard_deviation": 78.6}
NETWORKS = {
    "cnn": NetworkParameters.model_validate({"architecture": "cnn", "filters": [8, 8, 8, 16]}),
    "dense": NetworkParameters.model_validate({"architecture": "dense", "units": [64]}),
    "lenet5": NetworkParameters.model_validate({"architecture": "lenet5"}),
    "resnet": NetworkParameters.model_validate({"architecture": "resnet", "filters": [8, 16]}),
}
OPTIONS = parameters(epochs=20, batch_size=50, learning_rate=0.01)


@pytest.mark.parametrize("name", NETWORKS)
def test_trains_a_model_that_has_learned(digits, name, tmp_path):
    checkpoints = CheckpointsDataset(filepath=str(tmp_path)).load()
    model, history = train_model(digits, digits, STATISTICS, OPTIONS, NETWORKS[name], checkpoints)
    predictions = np.argmax(model.predict(digits["images"], verbose=0), axis=1)
    assert np.mean(predictions == digits["labels"]) > 0.5
    assert history["epochs"] == 20


@pytest.mark.parametrize("models", [MODELS, ("resnet",), ("lenet5", "cnn", "dense")])
def test_each_model_has_its_namespace(models):
    pipeline = create_pipeline(models)
    assert {node.name for node in pipeline.nodes} == {f"{m}.train_model" for m in models}
    assert pipeline.outputs() == {f"{m}.{o}" for m in models for o in ("model", "history")}
    shared = {"train", "validation", "pixel_statistics", "params:training"}
    own = {name for m in models for name in (f"params:{m}.network", f"{m}.checkpoints")}
    assert pipeline.inputs() == shared | own


def test_the_members_of_an_ensemble_share_all_but_the_seed():
    pipeline = create_pipeline(("dense",), 3)
    assert [node.name for node in pipeline.nodes] == [
        "dense.train_model",
        "dense_2.train_model",
        "dense_3.train_model",
    ]
    for node in pipeline.nodes:
        assert {"params:training", "params:dense.network"} <= set(node.inputs)
        assert f"{node.namespace}.checkpoints" in node.inputs


def test_each_member_has_a_seed_of_its_own(digits, tmp_path):
    options = parameters(epochs=1, seed=7)
    seeds = []
    for member in (0, 2):
        checkpoints = CheckpointsDataset(filepath=str(tmp_path / str(member))).load()
        _, history = train_model(
            digits, digits, STATISTICS, options, NETWORKS["dense"], checkpoints, member
        )
        seeds.append((history["seed"], history["loss"][-1]))
    assert [seed for seed, _ in seeds] == [7, 9]
    assert seeds[0][1] != seeds[1][1]


def test_runs_on_an_in_memory_catalog(digits, tmp_path):
    catalog = DataCatalog()
    for name, data in {
        "train": digits,
        "validation": digits,
        "pixel_statistics": STATISTICS,
        "params:training": parameters(epochs=1),
        "params:dense.network": NETWORKS["dense"],
    }.items():
        catalog[name] = data
    catalog["dense.checkpoints"] = CheckpointsDataset(filepath=str(tmp_path))
    catalog["dense.model"] = MemoryDataset(copy_mode="assign")
    pipeline = create_pipeline().only_nodes_with_tags("dense")
    outputs = SequentialRunner().run(pipeline, catalog)
    assert outputs["dense.model"].load().name == "dense"
    assert len(outputs["dense.history"].load()["loss"]) == 1
