import signal

import pandas as pd
import pytest
import yaml
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from matplotlib.figure import Figure

from mnist_kedro.pipelines.tuning import create_pipeline
from mnist_kedro.pipelines.tuning.nodes import choose_parameters
from tests.support.networks import NETWORKS, STATISTICS
from tests.support.parameters import training, tuning

TRIALS = pd.DataFrame(
    {
        "trial": [1, 2, 3],
        "state": ["complete", "complete", "pruned"],
        "validation_accuracy": [0.97, 0.98, 0.99],
        "epochs": [2, 2, 1],
        "seconds": [3.0, 3.0, 1.0],
        "batch_size": [20, 50, 20],
        "learning_rate": [0.001, 0.002, 0.003],
        "augmentation.rotation": [5, 6, 7],
    }
)


def test_reads_no_test_digits_and_trains_the_first_model():
    pipeline = create_pipeline("resnet")
    assert "test" not in pipeline.datasets()
    assert "params:resnet.network" in pipeline.inputs()
    assert pipeline.outputs() == {"tuned_parameters", "figures.tuning_search"}


def test_chooses_the_best_of_the_trials_that_came_to_their_end():
    assert choose_parameters(TRIALS, tuning(3)) == {
        "training": {
            "batch_size": 50,
            "learning_rate": 0.002,
            "augmentation": {"rotation": 6},
        }
    }


def test_runs_on_an_in_memory_catalog(digits):
    import optuna

    catalog = DataCatalog()
    for name, data in {
        "train": digits,
        "validation": digits,
        "pixel_statistics": STATISTICS,
        "params:training": training(epochs=1),
        "params:cnn.network": NETWORKS["dense"],
        "params:tuning": tuning(2),
    }.items():
        catalog[name] = data
    storage = optuna.storages.InMemoryStorage()
    catalog["tuning_storage"] = MemoryDataset(storage, copy_mode="assign")
    outputs = SequentialRunner().run(create_pipeline("cnn"), catalog)
    assert set(outputs["tuned_parameters"].load()["training"]) == {
        "batch_size",
        "learning_rate",
        "augmentation",
    }
    assert isinstance(outputs["figures.tuning_search"].load(), Figure)


@pytest.mark.slow
def test_a_killed_search_goes_on(running):
    """By the command line: Ctrl-C in the first trial, SIGKILL after one was done."""

    def interrupted(text, number):
        run = running.start("run", "--env", "smoke", "--pipelines", "tuning")
        run.wait_for(text)
        run.send(number)
        return run.wait()

    stopped = interrupted("trial 1: epoch 1", signal.SIGINT)
    assert stopped.status == 130, stopped.log
    said = "Interrupted. Finished trials are saved; to continue, run the same command."
    assert stopped.last_line == said
    assert interrupted("trial 3: epoch 1", signal.SIGKILL).status == -9
    log = running.make("--pipelines", "tuning")
    assert "1 of 3 trials are already finished" in log
    assert "trial 2: epoch" not in log
    assert "Warning" not in log
    trials = pd.read_csv(running.latest("08_reporting/tuning_trials.csv"))
    assert list(trials["trial"]) == [2, 4, 5]  # the others were lost with their runs
    text = running.latest("08_reporting/tuned_parameters.yml").read_text()
    chosen = yaml.safe_load(text)["training"]
    best = trials.loc[trials["validation_accuracy"].idxmax()]
    assert chosen["learning_rate"] == pytest.approx(best["learning_rate"])
    assert chosen["augmentation"]["zoom"] == pytest.approx(best["augmentation.zoom"])
    assert running.latest("08_reporting/tuning_search.png").stat().st_size > 10_000
    assert not list(running.data.rglob("epoch_*"))
