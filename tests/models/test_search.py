import numpy as np
import pandas as pd
import pytest

from mnist_kedro.errors import InputError
from mnist_kedro.networks import NetworkParameters
from tests.support.networks import STATISTICS
from tests.support.parameters import training, tuning

NETWORK = NetworkParameters.model_validate({"architecture": "dense", "units": [16]})
RATES = {"low": 0.0001, "high": 0.01, "log": True}


@pytest.fixture
def run(digits, tmp_path):
    """Search on the digits of the tests, in one storage."""
    from mnist_kedro.datasets.optuna_storage_dataset import OptunaStorageDataset
    from mnist_kedro.models.search import search

    storage = OptunaStorageDataset(filepath=str(tmp_path / "tuning.sqlite3"))

    def run_search(options, recipe=None, train=digits, **which):
        recipe = recipe or training(epochs=2)
        return search(
            *(train, digits, STATISTICS, recipe, NETWORK, options, storage.load()), **which
        )

    return run_search


def test_tries_values_of_the_search_and_goes_on_where_it_was(run):
    first = run(tuning(2))
    trials = run(tuning(3))
    assert trials.head(2).equals(first)
    assert run(tuning(3)).equals(trials)
    assert list(trials["trial"]) == [1, 2, 3]
    assert set(trials["state"]) == {"complete"}
    assert trials["validation_accuracy"].between(0, 1).all()
    assert (trials["epochs"] == 2).all()
    assert (trials["seconds"] > 0).all()
    assert set(trials["batch_size"]) <= {20, 50}
    assert trials["learning_rate"].between(0.0001, 0.01).all()
    rotations = trials["augmentation.rotation"]
    assert rotations.between(0, 20).all()
    assert (rotations == rotations.round()).all()  # its bounds are integers
    assert trials["learning_rate"].nunique() == 3


@pytest.mark.slow
def test_resumes_with_other_values(run, caplog):
    caplog.set_level("INFO")
    once = training(epochs=1)
    first = run(tuning(2), once)
    trials = run(tuning(5), once)
    pd.testing.assert_frame_equal(trials.head(2), first)
    assert trials["learning_rate"].nunique() == 5
    assert "2 of 5 trials are already finished." in caplog.text
    assert "trial 4: epoch 1 of 1" in caplog.text
    assert "trial 4: validation accuracy" in caplog.text


@pytest.mark.slow
def test_does_not_mix_with_searches_of_something_else(run, digits):
    run(tuning(1))
    others = digits | {"images": 255 - np.asarray(digits["images"])}
    for search in (
        run(tuning(1), train=others),
        run(tuning(1), recipe=training(epochs=1)),
        run(tuning(1, learning_rate=RATES)),
    ):
        assert list(search["trial"]) == [1]


@pytest.mark.slow
def test_ends_a_trial_that_is_behind_the_others(run):
    """Rates far too low come among the first five, which are the measure of the others."""
    rates = {"low": 1e-7, "high": 0.01, "log": True}
    trials = run(tuning(8, learning_rate=rates), recipe=training(epochs=2, batch_size=20))
    ended = trials[trials["state"] == "pruned"]
    complete = trials[trials["state"] == "complete"]
    assert len(ended) > 0
    assert (ended["epochs"] < 2).all()
    assert ended["trial"].min() > 5
    assert ended["validation_accuracy"].max() < complete["validation_accuracy"].max()


def test_a_loss_that_is_no_number_does_not_end_the_search(run):
    rates = {"choices": [0.001, 1e30]}
    trials = run(tuning(4, learning_rate=rates), recipe=training(epochs=1))
    lost = trials["learning_rate"] == 1e30
    assert lost.any()
    assert (trials.loc[lost, "state"] == "pruned").all()


def test_says_so_when_no_trial_came_to_its_end(run):
    rates = {"choices": [1e30, 2e30]}
    with pytest.raises(InputError, match="No trial completed.*smaller learning rates"):
        run(tuning(1, learning_rate=rates), recipe=training(epochs=1))
