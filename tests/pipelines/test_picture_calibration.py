"""Models are calibrated on validation digits that look photographed."""

import numpy as np
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from mnist_kedro.parameters import PictureCalibrationParameters
from mnist_kedro.pictures.detector import score_digits
from mnist_kedro.pipelines.picture_calibration import create_pipeline
from mnist_kedro.pipelines.picture_calibration.nodes import photograph_digits

PARAMETERS = PictureCalibrationParameters(digits=80, seed=0)


@pytest.fixture(scope="module")
def photographed(digits):
    return photograph_digits(digits, PARAMETERS)


def test_photographed_digits_are_other_pictures_of_the_same_digits(photographed, trained):
    labels = photographed["labels"]
    assert 40 < len(labels) <= 80
    assert photographed["images"].shape == (len(labels), 28, 28, 1)
    read = trained.predict(photographed["images"], verbose=0).argmax(axis=1)
    assert np.mean(read == labels) > 0.6


def test_the_same_seed_takes_the_same_photos(digits, photographed):
    again = photograph_digits(digits, PARAMETERS)
    np.testing.assert_array_equal(again["images"], photographed["images"])


def test_digits_that_cannot_be_photographed_stay_as_they_are(digits):
    blank = {**digits, "images": np.zeros_like(np.asarray(digits["images"]))}
    found = photograph_digits(blank, PARAMETERS)
    assert found["images"].shape == (80, 28, 28, 1)


def test_each_model_is_calibrated(digits, trained):
    catalog = DataCatalog()
    catalog["validation"] = digits
    catalog["params:picture_calibration"] = PARAMETERS
    for model in ("cnn", "dense"):
        catalog[f"{model}.model"] = MemoryDataset(trained, copy_mode="assign")
    outputs = SequentialRunner().run(create_pipeline(["cnn", "dense"]), catalog)
    assert set(outputs) == {"cnn.picture_calibration", "dense.picture_calibration"}
    calibration = outputs["cnn.picture_calibration"].load()
    assert calibration["temperature"] >= 1
    assert 0 < calibration["candidate_threshold"] < 1
    flagged = score_digits(digits["images"]) < calibration["digit_threshold"]
    assert flagged.mean() < 0.01
