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


def test_a_layer_that_the_catalog_does_not_name_is_refused(tmp_path):
    from mnist_kedro.datasets.keras_model_dataset import KerasModelDataset

    dataset = KerasModelDataset(filepath=str(tmp_path / "m.keras"))
    dataset.save(build("capsnet"))
    with pytest.raises(DatasetError, match=r"refers to mnist_kedro\.models\.capsules\.SelfAtt"):
        dataset.load()


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

    with pytest.raises(
        DatasetError,
        match=r"evil\.keras: rejected, because it refers to __lambda__, keras.layers.Lambda",
    ):
        KerasModelDataset(filepath=str(path)).load()
    assert not canary.exists()
    keras.models.load_model(path, safe_mode=False)(np.zeros((1, 3)))
    assert canary.exists(), "the canary would not have sung"


def replace_in_config(path, old, new):
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    assert old in members["config.json"]
    members["config.json"] = members["config.json"].replace(old, new)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_loads_a_model_that_was_saved_before_a_layer_moved(tmp_path, digits):
    from mnist_kedro.datasets.keras_model_dataset import KerasModelDataset

    layers = ["mnist_kedro.models.capsules.SelfAttentionRouting"]
    dataset = KerasModelDataset(filepath=str(tmp_path / "m.keras"), layers=layers)
    model = build("capsnet")
    dataset.save(model)
    replace_in_config(
        tmp_path / "m.keras", b'"mnist_kedro.models.capsules"', b'"mnist_kedro.models.capsnet"'
    )
    np.testing.assert_array_equal(dataset.load()(digits["images"][:5]), model(digits["images"][:5]))


CAPSULES = b'"registered_name": "mnist_kedro>SelfAttentionRouting", "x"'


@pytest.mark.parametrize(
    "foreign",
    [
        b'"module": "os", "class_name": "system"',
        b'"module": "os", "class_name": "system", ' + CAPSULES,
        b'"module": "os", "class_name": "function", ' + CAPSULES,
    ],
)
def test_refuses_a_class_that_is_not_keras_own(dataset, tmp_path, foreign):
    from mnist_kedro.datasets.keras_model_dataset import KerasModelDataset

    dense = b'"module": "keras.layers", "class_name": "Dense"'
    if foreign.endswith(b'"x"'):
        dense, foreign = dense + b', "config"', foreign[:-3] + b'"config"'
    replace_in_config(tmp_path / "m.keras" / "1" / "m.keras", dense, foreign)
    layers = ["mnist_kedro.models.capsules.SelfAttentionRouting"]
    dataset = KerasModelDataset(
        filepath=str(tmp_path / "m.keras"), version=Version("1", None), layers=layers
    )
    with pytest.raises(
        DatasetError, match=r"rejected, because it refers to os\.(system|function), which may run"
    ):
        dataset.load()


def test_previews_the_layers(dataset):
    preview = dataset.preview()
    assert preview["columns"] == ["layer", "type", "output shape", "parameters"]
    assert ["logits", "Dense", "(10,)", 90] in preview["data"]
    assert type(dataset).preview.__annotations__["return"].__name__ == "TablePreview"
