import numpy as np
import pytest
from kedro.io.core import DatasetError, Version


@pytest.fixture(scope="module")
def model():
    from mnist_kedro.models.networks import build_network
    from mnist_kedro.parameters import NetworkParameters

    parameters = NetworkParameters.model_validate({"architecture": "dense", "units": [8]})
    return build_network(parameters, {"mean": 33.0, "standard_deviation": 78.0})


@pytest.fixture
def dataset(tmp_path, model):
    from mnist_kedro.datasets.keras_model_dataset import KerasModelDataset

    dataset = KerasModelDataset(filepath=str(tmp_path / "m.keras"), version=Version(None, "1"))
    dataset.save(model)
    return dataset


def test_loads_the_model_that_was_saved(dataset, model, digits):
    loaded = dataset.load()
    np.testing.assert_array_equal(loaded(digits["images"][:5]), model(digits["images"][:5]))


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


def test_previews_the_layers(dataset):
    preview = dataset.preview()
    assert preview["columns"] == ["layer", "type", "output shape", "parameters"]
    assert ["logits", "Dense", "(10,)", 90] in preview["data"]
    assert type(dataset).preview.__annotations__["return"].__name__ == "TablePreview"
