import numpy as np
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from mnist_kedro.datasets import CheckpointsDataset, LogFolderDataset
from mnist_kedro.errors import InputError
from mnist_kedro.pipelines.training import create_pipeline
from mnist_kedro.pipelines.training.nodes import train_model
from tests.support.networks import EVERY_NETWORK, NETWORKS, RUN, STATISTICS
from tests.support.parameters import training

OPTIONS = training(epochs=8, batch_size=40, learning_rate=0.01)


@pytest.mark.parametrize("name", EVERY_NETWORK)
def test_trains_a_model_that_has_learned(digits, name, tmp_path):
    checkpoints = CheckpointsDataset(filepath=str(tmp_path)).load()
    model, history = train_model(
        digits,
        digits,
        STATISTICS,
        OPTIONS,
        NETWORKS[name],
        checkpoints,
        tmp_path / "logs",
        RUN,
        name,
    )
    predictions = np.argmax(model.predict(digits["images"], verbose=0), axis=1)
    assert np.mean(predictions == digits["labels"]) > 0.5
    assert history["epochs"] == 8


@pytest.mark.parametrize("models", [("cnn", "dense"), ("resnet",), ("lenet5", "cnn", "dense")])
def test_each_model_has_its_node_and_datasets(models):
    pipeline = create_pipeline({name: NETWORKS[name] for name in models})
    assert {node.name for node in pipeline.nodes} == {f"train_{model}" for model in models}
    assert pipeline.outputs() == {f"{m}.{o}" for m in models for o in ("model", "history")}
    shared = {"train", "validation", "pixel_statistics", "tensorboard_logs", "run"}
    shared |= {"params:training"}
    own = ("params:{}.network", "{}.checkpoints")
    assert pipeline.inputs() == shared | {name.format(m) for m in models for name in own}


def test_the_members_of_an_ensemble_share_all_but_the_seed():
    pipeline = create_pipeline({"dense": NETWORKS["dense"]}, 3)
    names = ["dense", "dense_2", "dense_3"]
    assert [node.name for node in pipeline.nodes] == [f"dense_ensemble.train_{n}" for n in names]
    for name, node in zip(names, pipeline.nodes, strict=True):
        assert {"params:training", "params:dense.network"} <= set(node.inputs)
        assert f"{name}.checkpoints" in node.inputs
        assert node.outputs == [f"{name}.model", f"{name}.history"]


def test_each_member_has_a_seed_of_its_own(digits, tmp_path):
    options = training(epochs=1, seed=7)
    seeds = []
    for member in (0, 2):
        checkpoints = CheckpointsDataset(filepath=str(tmp_path / str(member))).load()
        network = NETWORKS["dense"]
        _, history = train_model(
            digits,
            digits,
            STATISTICS,
            options,
            network,
            checkpoints,
            tmp_path,
            RUN,
            "dense",
            member,
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
        "params:training": training(epochs=1),
        "params:dense.network": NETWORKS["dense"],
        "run": RUN,
    }.items():
        catalog[name] = data
    catalog["dense.checkpoints"] = CheckpointsDataset(filepath=str(tmp_path))
    catalog["tensorboard_logs"] = LogFolderDataset(filepath=str(tmp_path / "logs"))
    catalog["dense.model"] = MemoryDataset(copy_mode="assign")
    pipeline = create_pipeline(NETWORKS).only_nodes_with_tags("dense")
    outputs = SequentialRunner().run(pipeline, catalog)
    assert outputs["dense.model"].load().name == "dense"
    assert len(outputs["dense.history"].load()["loss"]) == 1
    assert not (tmp_path / "logs").exists()  # nobody asked for them


def test_tensorboard_reads_the_logs(digits, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    checkpoints = CheckpointsDataset(filepath=str(tmp_path / "checkpoints")).load()
    options = training(epochs=3, tensorboard=True)
    logs = tmp_path / "logs"
    _, history = train_model(
        digits, digits, STATISTICS, options, NETWORKS["dense"], checkpoints, logs, RUN, "dense"
    )
    for split, key in (("train", "loss"), ("validation", "validation_loss")):
        events = EventAccumulator(str(tmp_path / "logs" / "dense" / split)).Reload()
        logged = [make_ndarray(event.tensor_proto) for event in events.Tensors("epoch_loss")]
        np.testing.assert_allclose(logged, history[key], rtol=1e-6)


def test_logs_without_tensorboard_are_refused_before_the_training(digits, tmp_path, monkeypatch):
    monkeypatch.setattr("mnist_kedro.models.tensorboard.find_spec", lambda _: None)
    checkpoints = CheckpointsDataset(filepath=str(tmp_path)).load()
    options = training(epochs=1, tensorboard=True)
    arguments = (digits, digits, STATISTICS, options, NETWORKS["dense"], checkpoints, tmp_path)
    with pytest.raises(InputError, match=r"pip install 'mnist_kedro\[tensorboard\]'"):
        train_model(*arguments, RUN, "dense")


def test_a_network_is_drawn_for_kedro_viz():
    pipeline = create_pipeline({"dense": NETWORKS["dense"]}, 2)
    for node in pipeline.only_nodes_with_tags("dense").nodes:
        assert "64<br/>50,240 weights" in node.preview().content
