import copy
import json
import pickle
import zipfile

import numpy as np
import pytest
from kedro.io.core import DatasetError, Version

from tests.support.networks import NETWORKS, build


@pytest.fixture(scope="module")
def model():
    return build({"architecture": "dense", "units": [8]})


@pytest.fixture
def dataset(tmp_path, model):
    from mnist_kedro.datasets.keras_model_dataset import KerasModelDataset

    dataset = KerasModelDataset(filepath=str(tmp_path / "m.keras"), version=Version(None, "1"))
    dataset.save(model)
    return dataset


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_is_loaded_as_it_was_saved(network, digits, tmp_path):
    from mnist_kedro.datasets.keras_model_dataset import KerasModelDataset

    layers = ["mnist_kedro.models.capsules.SelfAttentionRouting"]
    dataset = KerasModelDataset(filepath=str(tmp_path / "m.keras"), layers=layers)
    model = build(network)
    dataset.save(model)
    np.testing.assert_array_equal(dataset.load()(digits["images"][:5]), model(digits["images"][:5]))


@pytest.fixture
def recorded(tmp_path):
    """A saved version of a model with a training record."""
    from mnist_kedro.datasets.keras_model_dataset import KerasModelDataset
    from mnist_kedro.lineage import digest_weights

    model = build({"architecture": "dense", "units": [8]})
    model.training_record = {"sha256_weights": digest_weights(model)}
    dataset = KerasModelDataset(filepath=str(tmp_path / "r.keras"), version=Version(None, "1"))
    dataset.save(model)
    return dataset


def test_a_model_is_kept_until_it_is_released(recorded):
    first = recorded.load()
    assert recorded.load() is first
    recorded.release()
    assert recorded.load() is not first


def test_a_model_that_was_changed_in_memory_is_loaded_again(recorded):
    first = recorded.load()
    original = first.get_weights()
    first.set_weights([weights + 1 for weights in original])
    for weights, expected in zip(recorded.load().get_weights(), original, strict=True):
        np.testing.assert_array_equal(weights, expected)


def test_a_later_version_is_loaded_instead_of_the_kept_one(recorded, tmp_path):
    from mnist_kedro.datasets.keras_model_dataset import KerasModelDataset

    latest = KerasModelDataset(filepath=str(tmp_path / "r.keras"), version=Version(None, None))
    first = latest.load()
    newer = build({"architecture": "dense", "units": [4]})
    KerasModelDataset(filepath=str(tmp_path / "r.keras"), version=Version(None, "2")).save(newer)
    latest.release()
    assert latest.load().count_params() != first.count_params()


def test_copies_do_not_share_a_kept_model(recorded):
    first = recorded.load()
    assert pickle.loads(pickle.dumps(recorded)).load() is not first
    assert copy.deepcopy(recorded).load() is not first


def test_an_unversioned_model_is_not_kept(tmp_path):
    from mnist_kedro.datasets.keras_model_dataset import KerasModelDataset
    from mnist_kedro.lineage import digest_weights

    dataset = KerasModelDataset(filepath=str(tmp_path / "m.keras"))
    for units in (4, 8):
        model = build({"architecture": "dense", "units": [units]})
        model.training_record = {"sha256_weights": digest_weights(model)}
        dataset.save(model)
        assert dataset.load().count_params() == model.count_params()


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty"])
def test_a_damaged_file_is_called_corrupt(dataset, tmp_path, damage):
    path = tmp_path / "m.keras" / "1" / "m.keras"
    content = bytearray(path.read_bytes())
    match damage:
        case "truncated":
            del content[len(content) // 2 :]
        case "flipped":
            content[len(content) // 2] ^= 0xFF
        case "empty":
            content.clear()
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"m\.keras: corrupt model file; train it again"):
        dataset.load()


def test_refuses_a_model_with_code(tmp_path):
    """The canary: a file that appears if the code in a model is run."""
    import keras

    from mnist_kedro.datasets.keras_model_dataset import KerasModelDataset

    canary, path = tmp_path / "canary", tmp_path / "evil.keras"
    code = f"__import__('pathlib').Path({str(canary)!r}).touch()"
    layer = keras.layers.Lambda(eval(f"lambda x: [{code}, x][1]"), output_shape=(3,))
    keras.Sequential([keras.Input((3,)), layer]).save(path)
    canary.unlink(missing_ok=True)  # touched while it was made

    with pytest.raises(DatasetError, match=r"evil\.keras: rejected \(.*Python lambda\); expected"):
        KerasModelDataset(filepath=str(path)).load()
    assert not canary.exists()
    keras.models.load_model(path, safe_mode=False)(np.zeros((1, 3)))
    assert canary.exists(), "the canary would not have sung"


def edit_config(path, edit):
    """Replace the configuration by what ``edit`` returns for its text."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = members["config.json"].decode()
    members["config.json"] = edit(config).encode()
    assert members["config.json"].decode() != config
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_loads_a_model_that_was_saved_before_a_layer_moved(tmp_path, digits):
    from mnist_kedro.datasets.keras_model_dataset import KerasModelDataset

    layers = ["mnist_kedro.models.capsules.SelfAttentionRouting"]
    dataset = KerasModelDataset(filepath=str(tmp_path / "m.keras"), layers=layers)
    model = build("capsnet")
    dataset.save(model)
    edit_config(tmp_path / "m.keras", lambda config: config.replace("capsules", "capsnet"))
    np.testing.assert_array_equal(dataset.load()(digits["images"][:5]), model(digits["images"][:5]))


def test_refuses_a_layer_that_is_not_registered(tmp_path):
    from mnist_kedro.datasets.keras_model_dataset import KerasModelDataset

    dataset = KerasModelDataset(filepath=str(tmp_path / "m.keras"))
    dataset.save(build("capsnet"))
    edit_config(tmp_path / "m.keras", lambda config: config.replace("mnist_kedro>", "elsewhere>"))
    with pytest.raises(DatasetError, match=r"Could not locate class 'SelfAttentionRouting'\); exp"):
        dataset.load()


def test_loads_layers_with_regularizers_and_constraints(tmp_path):
    import keras

    from mnist_kedro.datasets.keras_model_dataset import KerasModelDataset

    dense = keras.layers.Dense(2, "gelu", kernel_regularizer="l2", bias_constraint="non_neg")
    model = keras.Sequential([keras.Input((3,)), dense])
    dataset = KerasModelDataset(filepath=str(tmp_path / "m.keras"))
    dataset.save(model)
    assert dataset.load().layers[0].get_config() == dense.get_config()


def function(module, name):
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


def one(module, name, registered=None):
    return {"module": module, "class_name": name, "config": {}, "registered_name": registered}


@pytest.mark.parametrize(
    ("foreign", "refused"),
    [
        (one("os", "system"), "Could not locate class 'system'"),
        (one("os", "system", "mnist_kedro>SelfAttentionRouting"), "SelfAttentionRouting.__init__"),
        (function("os", "system"), r"refers to os\.system"),
        (function("builtins", "eval"), r"refers to builtins\.eval"),
        (function("keras.layers", "TFSMLayer"), r"refers to keras\.layers\.TFSMLayer"),
        (one("keras.layers", "TFSMLayer"), "'TFSMLayer', which loads an external SavedModel"),
        (one("keras.layers", "TextVectorization"), "standardize"),
        (one("keras.datasets.mnist", "load_data"), r"refers to keras\.datasets\.mnist\.load_data"),
        (one("keras.src.models.model_test", "X"), r"refers to keras\.src\.models\.model_test\.X"),
        (one("keras_hub.models", "Backbone"), r"refers to keras_hub\.models\.Backbone"),
    ],
)
def test_refuses_what_is_no_part_of_a_model(tmp_path, foreign, refused):
    from mnist_kedro.datasets.keras_model_dataset import KerasModelDataset

    def edit(config):
        model = json.loads(config)
        model["config"]["layers"][-2] |= foreign
        return json.dumps(model)

    layers = ["mnist_kedro.models.capsules.SelfAttentionRouting"]
    dataset = KerasModelDataset(filepath=str(tmp_path / "m.keras"), layers=layers)
    dataset.save(build({"architecture": "dense", "units": [8]}))
    edit_config(tmp_path / "m.keras", edit)
    with pytest.raises(DatasetError, match=rf"rejected \([^(]*{refused}") as error:
        dataset.load()
    assert "\n" not in str(error.value)


def test_calls_no_function_of_keras(tmp_path):
    """The canary: Keras's own safe mode lets a file call any public function of Keras."""
    import keras

    from mnist_kedro.datasets.keras_model_dataset import KerasModelDataset

    def edit(config):
        model = json.loads(config)
        called = [function("keras.config", "set_epsilon")]
        tensor = model["config"]["layers"][1]["inbound_nodes"][0]["args"][0]
        switch = one("keras.src.ops.core", "Switch")
        node = {"args": [tensor, called, 0.5], "kwargs": {}}
        model["config"]["layers"].append({**switch, "name": "switch", "inbound_nodes": [node]})
        return json.dumps(model)

    pixels = keras.Input((3,))
    path, epsilon = tmp_path / "evil.keras", keras.config.epsilon()
    keras.Model(pixels, keras.layers.Dense(3)(pixels)).save(path)
    edit_config(path, edit)
    with pytest.raises(
        DatasetError, match=r"rejected \(refers to keras\.config\.set_epsilon\); exp"
    ):
        KerasModelDataset(filepath=str(path)).load()
    assert keras.config.epsilon() == epsilon
    keras.models.load_model(path)
    assert keras.config.epsilon() == 0.5, "the canary would not have sung"
    keras.config.set_epsilon(epsilon)


def test_previews_the_layers(dataset):
    preview = dataset.preview()
    assert preview["columns"] == ["layer", "type", "output shape", "parameters"]
    assert ["logits", "Dense", "(10,)", 90] in preview["data"]
    assert type(dataset).preview.__annotations__["return"].__name__ == "TablePreview"
