"""Any picture gets digits or a reason; ``make fuzz-pictures`` sends 20,000."""

import pytest

from mnist_kedro.serving.app import create_app
from mnist_kedro.serving.metrics import Metrics
from mnist_kedro.serving.model import ModelStore
from tests.reliability.pictures import send_pictures


@pytest.mark.parametrize("count", [300, pytest.param(1500, marks=pytest.mark.slow)])
def test_any_picture_gets_digits_or_a_reason(export, tmp_path, count):
    models = ModelStore(export(), "cnn")
    models.refresh()
    client = create_app(models, Metrics()).test_client()
    folder = tmp_path / "pictures"
    folder.mkdir()
    outcomes = send_pictures(client, folder, range(10 * count, 11 * count))
    for way in ("/api/predict: digits", "/api/read: digits", "inference: ok", "inference: blank"):
        assert outcomes[way] > count / 20, outcomes
