"""A training that was interrupted goes on to the result that it would have had."""

import logging
from contextlib import contextmanager

import numpy as np
import pytest

from mnist_kedro.datasets import CheckpointsDataset
from mnist_kedro.errors import InputError
from tests.support.networks import NETWORKS, STATISTICS
from tests.support.parameters import augmentation, training

OPTIONS = {"epochs": 4, "batch_size": 50, "learning_rate": 0.01}
AUGMENTED = {"augmentation": augmentation(rotation=10, shift=2), "network": NETWORKS["cnn"]}
DENSE = NETWORKS["dense"]


def fit(digits, folder, validation=None, statistics=STATISTICS, network=DENSE, **changes):
    from mnist_kedro.models.fitting import fit_network

    checkpoints = CheckpointsDataset(filepath=str(folder)).load()
    validation = validation or {key: digits[key][:100] for key in ("images", "labels")}
    options = training(**{**OPTIONS, **changes})
    return fit_network(digits, validation, statistics, options, network, checkpoints, "cnn")


def _epoch_end(_self, number, logs):
    logs["seconds"] = 1.0


@contextmanager
def interrupted_in(monkeypatch, epoch, batch=2):
    """Press Ctrl-C after so many batches of an epoch (both from 0)."""
    from mnist_kedro.models.progress import EpochProgress

    current = []

    def begin(_self, number, logs=None):
        current[:] = [number]

    def batch_end(_self, number, logs=None):
        if current == [epoch] and number + 1 >= batch:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt) as interrupt:
        patch.setattr(EpochProgress, "on_epoch_begin", begin)
        patch.setattr(EpochProgress, "on_train_batch_end", batch_end)
        patch.setattr(EpochProgress, "on_epoch_end", _epoch_end)
        yield interrupt


@pytest.fixture(scope="module")
def whole(digits, tmp_path_factory):
    """A training without interruption."""
    return fit(digits, tmp_path_factory.mktemp("whole"))


def files(folder):
    return sorted(file.name for file in folder.rglob("*") if file.is_file())


def assert_same_result(resumed, whole):
    (model, history), (expected, whole_history) = resumed, whole
    for one, other in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    for curve in ("accuracy", "loss", "validation_accuracy", "validation_loss"):
        np.testing.assert_allclose(history[curve], whole_history[curve], rtol=1e-5)
    assert len(history["seconds"]) == history["epochs"] == 4
    assert history["training_seconds"] > 0


@pytest.mark.parametrize(
    "options", [{}, {"label_smoothing": 0.1, "ema_momentum": 0.95, "mixed_bfloat16": True}]
)
def test_goes_on_with_the_augmentation_and_averages_that_it_would_have_had(
    digits, tmp_path, monkeypatch, options
):
    options = {**AUGMENTED, **options}
    with interrupted_in(monkeypatch, 2):
        fit(digits, tmp_path / "resumed", **options)
    resumed = fit(digits, tmp_path / "resumed", resume=True, **options)
    assert_same_result(resumed, fit(digits, tmp_path / "whole", **options))


@pytest.mark.parametrize("epoch", [pytest.param(1, marks=pytest.mark.slow), 3])
def test_resumes_to_the_same_result(digits, whole, tmp_path, monkeypatch, epoch):
    with interrupted_in(monkeypatch, epoch) as interrupt:
        fit(digits, tmp_path)
    (note,) = interrupt.value.__notes__
    assert f"cnn: epoch {epoch} is saved" in note
    assert "training.resume=true" in note
    assert_same_result(fit(digits, tmp_path, resume=True), whole)


def test_keeps_the_last_two_epochs(digits, tmp_path):
    fit(digits, tmp_path)
    assert files(tmp_path) == ["epoch_00003.hdf5", "epoch_00004.hdf5"]


def test_a_finished_training_is_not_done_again(digits, whole, tmp_path, caplog):
    """As when another network of the same run was interrupted."""
    fit(digits, tmp_path)
    caplog.clear()
    caplog.set_level(logging.INFO)
    assert_same_result(fit(digits, tmp_path, resume=True), whole)
    assert "resuming after epoch 4" in caplog.text
    assert "epoch 1 of" not in caplog.text


def test_an_interruption_before_the_first_checkpoint_is_told(digits, whole, tmp_path, monkeypatch):
    with interrupted_in(monkeypatch, 0) as interrupt:
        fit(digits, tmp_path)
    assert interrupt.value.__notes__ == ["cnn: no epoch was completed."]
    assert_same_result(fit(digits, tmp_path, resume=True), whole)


def test_skips_a_damaged_checkpoint(digits, whole, tmp_path, monkeypatch, caplog):
    with interrupted_in(monkeypatch, 3):
        fit(digits, tmp_path)
    newest = max(tmp_path.rglob("*.hdf5"))
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    caplog.set_level(logging.INFO)
    assert_same_result(fit(digits, tmp_path, resume=True), whole)
    assert "epoch_00003.hdf5: corrupt checkpoint; resuming from the previous one" in caplog.text
    assert "resuming after epoch 2" in caplog.text


OTHERS = {
    "learning_rate": ({"learning_rate": 0.02}, "training.learning_rate was 0.01, is 0.02"),
    "seed": ({"seed": 7}, "training.seed was 0, is 7"),
    "epochs": ({"epochs": 5}, "training.epochs was 4, is 5"),
    "augmentation": (
        {"augmentation": augmentation(rotation=11)},
        "training.augmentation.rotation was 0.0, is 11.0",
    ),
    "network": (
        {"network": DENSE.model_validate({**DENSE.model_dump(), "units": [24]})},
        "network.units was [64], is [24]",
    ),
    "precision": ({"mixed_bfloat16": True}, "dtype policy was float32, is mixed_bfloat16"),
    "statistics": (
        {"statistics": {**STATISTICS, "mean": 30.0}},
        "pixel_statistics was {'mean': 33.3",
    ),
}


@pytest.fixture(scope="module")
def interrupted(digits, tmp_path_factory):
    """Checkpoints after two of four epochs."""
    folder = tmp_path_factory.mktemp("interrupted")
    with pytest.MonkeyPatch.context() as patch, interrupted_in(patch, 2):
        fit(digits, folder)
    return folder


@pytest.mark.parametrize("other", OTHERS)
def test_refuses_to_resume_with_other_parameters(digits, interrupted, other):
    changes, told = OTHERS[other]
    before = files(interrupted)
    with pytest.raises(InputError) as error:
        fit(digits, interrupted, resume=True, **changes)
    assert str(error.value).startswith(
        "cnn: cannot resume, because the checkpoint was created with"
    )
    assert f"different settings or data: {told}" in str(error.value)
    assert files(interrupted) == before


def test_refuses_to_go_on_with_other_data_and_names_them(digits, interrupted):
    images = digits["images"].copy()
    images[0, 0, 0] = 1
    validation = {key: digits[key][:100] for key in ("images", "labels")}
    with pytest.raises(InputError, match=r"data: train images was \w{8}…, is \w{8}…\. Undo"):
        fit({**digits, "images": images}, interrupted, validation, resume=True)
    fewer = {key: digits[key][:90] for key in ("images", "labels")}
    with pytest.raises(InputError, match="validation images was .*; validation labels was"):
        fit(digits, interrupted, fewer, resume=True)


@pytest.mark.parametrize("rate", [1e12, 1e38])
def test_a_loss_of_nan_ends_the_training(digits, tmp_path, rate):
    with pytest.raises(InputError, match="cnn: the loss became (nan|inf) in epoch 1, so training"):
        fit(digits, tmp_path, learning_rate=rate)
    assert files(tmp_path) == []


def test_the_last_good_checkpoint_is_kept_when_the_loss_becomes_no_number(digits, tmp_path):
    from mnist_kedro.models.checkpointing import Checkpointing

    good = {"accuracy": 0.9, "loss": 0.3, "val_accuracy": 0.9, "val_loss": 0.3, "seconds": 1.0}
    model, _ = fit(digits, tmp_path / "other", epochs=1)
    model.compile("sgd")
    model.optimizer.build(model.trainable_variables)
    store = CheckpointsDataset(filepath=str(tmp_path / "this")).load()
    callback = Checkpointing("cnn", store, {"a": 1}, averages=[])
    callback.set_model(model)
    callback.on_train_begin()
    callback.on_epoch_end(0, good)
    with pytest.raises(InputError, match="loss became nan in epoch 2.*last good checkpoint"):
        callback.on_epoch_end(1, {**good, "val_loss": float("nan")})
    assert store.load({"a": 1})["epoch"] == 1
