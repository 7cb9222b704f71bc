"""A network learns to tell digits from everything else."""

import numpy as np
import onnxruntime
import pytest

from mnist_kedro.parameters import DigitDetectorParameters
from mnist_kedro.pipelines.digit_detector import create_pipeline
from mnist_kedro.pipelines.digit_detector.nodes import (
    export_digit_detector,
    make_examples,
    train_digit_detector,
)
from tests.support.parameters import training

PARAMETERS = DigitDetectorParameters(
    examples=300,
    epochs=15,
    batch_size=30,
    learning_rate=0.01,
    warmup_fraction=0.25,
    weight_decay=0.02,
    augmentation=training().augmentation,
    seed=0,
)


@pytest.fixture(scope="module")
def examples(digits):
    return make_examples(digits, PARAMETERS)


@pytest.fixture(scope="module")
def model(examples):
    return train_digit_detector(examples, PARAMETERS)


def test_half_of_the_examples_are_digits(examples):
    assert examples["images"].shape == (600, 28, 28, 1)
    assert examples["is_digit"].mean() == 0.5


def test_the_network_learns(model, examples):
    scores = model.predict(examples["images"], verbose=0)[:, 0]
    assert np.mean((scores > 0.5) == examples["is_digit"]) > 0.8


def test_the_exported_network_scores_as_the_network(model, examples):
    session = onnxruntime.InferenceSession(export_digit_detector(model))
    (found,) = session.run(["digit_score"], {"pixels": examples["images"][:50]})
    expected = model.predict(examples["images"][:50], verbose=0)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_same_seed_trains_the_same_network(model, examples):
    again = train_digit_detector(examples, PARAMETERS)
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_the_pipeline_starts_from_training_digits():
    pipeline = create_pipeline()
    assert pipeline.inputs() == {"train", "params:digit_detector"}
    assert pipeline.outputs() == {"digit_detector_onnx"}
