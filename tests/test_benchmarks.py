"""The benchmarks do run, and their tables say what was measured."""

import json

import numpy as np
import pandas as pd
import pytest
from benchmarks import summary
from benchmarks.__main__ import printed_accuracy

from tests.support.catalog import stored_datasets
from tests.support.paths import ROOT
from tests.support.project import python

EPOCHS = pd.DataFrame(
    [
        *[("mnist_kedro quick", seed, 1, 5.0, 0.991) for seed in (0, 1)],
        *[("mnist_kedro base", seed, 12, 50.0, 0.996) for seed in (0, 1)],
        ("keras.io", 0, 1, 10.0, 0.975),
        ("keras.io", 1, 1, 12.0, 0.977),
        ("keras.io", 0, 2, 20.0, 0.990),
        ("keras.io", 1, 2, 22.0, 0.992),
    ],
    columns=["recipe", "seed", "epoch", "seconds", "accuracy"],
)
PROCESSES = pd.DataFrame(
    [
        (name, 0, 1024.0, 20_000.0, 1.5)
        for name in ("mnist_kedro quick", "mnist_kedro base", "keras.io")
    ],
    columns=["recipe", "seed", "peak_memory_mib", "digits_per_second", "milliseconds_for_one"],
)


def row(table, name):
    (found,) = [line for line in table.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in found.strip("|").split("|")]


def test_a_goal_is_reached_when_the_mean_of_the_seeds_is_there():
    assert summary.seconds_to(EPOCHS, 0.990) == {
        "mnist_kedro quick": 5,
        "mnist_kedro base": 50,
        "keras.io": 21,
    }
    assert np.isnan(summary.seconds_to(EPOCHS, 0.995)["keras.io"])


def test_after_equal_time_only_finished_epochs_count():
    after = summary.accuracy_after(EPOCHS, 15)
    assert after["keras.io"] == pytest.approx(0.976)
    assert after["mnist_kedro quick"] == 0.991
    assert np.isnan(after["mnist_kedro base"])


def test_the_table_has_ratios_to_the_fastest_of_this_project():
    table = summary.training_table(EPOCHS, PROCESSES)
    keras = row(table, "keras.io")
    assert keras[1:5] == ["2", "2", "21.0", "99.10 ± 0.14"]
    assert keras[5:] == ["21.0 (4.2 ×)", "not reached", "1.0"]
    assert table.endswith("mnist_kedro base takes as long as 4.8 epochs of keras.io.")
    assert row(table, "mnist_kedro quick")[5:7] == ["5.0 (1.0 ×)", "not reached"]


def test_tells_what_kedro_adds_to_a_run():
    runs = pd.DataFrame(
        {
            "run": [0, 0, 1, 1, 2, 2, 0],
            "kind": [*["kedro run", "bare script"] * 3, "another project"],
            "seconds": [62.0, 60.0, 75.0, 60.0, 61.0, 58.0, 301.0],
            "training_seconds": [40.0, 41.0, 53.0, 40.0, 40.0, 38.0, None],
            "accuracy": [0.9960, 0.9961, 0.9962, 0.9961, 0.9964, 0.9961, 0.981],
        }
    )
    table = summary.runs_table(runs)
    assert row(table, "kedro run")[1:] == ["62.0", "40.0", "22.0", "99.62"]
    assert row(table, "bare script")[1:] == ["60.0", "40.0", "20.0", "99.61"]
    assert row(table, "another project")[1:] == ["301.0", "", "", "98.10"]
    assert "Kedro's overhead is 2.0 s (3.3%). The other projects ran once" in table


def test_finds_the_last_test_accuracy_that_a_project_prints():
    output = "val/acc 0.990\n│  test/acc  │ 0.97 │\nTest Accuracy: 0.98125 nodes.py:14\nloss 0.5"
    assert printed_accuracy("another", output) == 0.98125
    with pytest.raises(SystemExit, match=r"--peer another: its output has no line"):
        printed_accuracy("another", "val/acc 0.990")


def test_the_readme_has_the_measured_numbers():
    results = (ROOT / "benchmarks" / "results" / "results.md").read_text()
    measured = results.partition("## Inference")[0]
    recipes = [line.split("|")[1].strip() for line in measured.splitlines() if line[:2] == "| "][2:]
    readme = (ROOT / "README.md").read_text().splitlines()
    shown = [line for line in readme if line[:1] == "|" and ("±" in line or "one seed" in line)]
    for line, name in zip(shown, recipes, strict=True):
        _, _, epochs, seconds, accuracy, *reached, _ = row(measured, name)
        values = [epochs, seconds, accuracy, *(cell.partition(" (")[0] for cell in reached)]
        assert [cell.strip(" *") for cell in line.strip("|").split("|")][1:] == values


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["keras_io", "this_project"])
def test_a_worker_trains_and_tells(mnist, tmp_path, recipe):
    keys = ("x_train", "y_train", "x_test", "y_test")
    np.savez(tmp_path / "digits.npz", **{key: mnist[key] for key in keys})
    worker = python(
        ROOT,
        *("-m", "benchmarks.worker", recipe, str(tmp_path / "digits.npz")),
        *("--epochs=2", "--seed=1", "--inference"),
    )
    assert worker.returncode == 0, worker.stderr
    *epochs, last = map(json.loads, worker.stdout.splitlines())
    assert epochs[-1]["epoch"] == 2
    assert len(epochs) == (2 if recipe == "keras_io" else 1)
    assert 0.1 < epochs[-1]["accuracy"] <= 1
    assert epochs[-1]["seconds"] > 0
    assert last["peak_memory_mib"] > 100
    assert last["digits_per_second"] > 100
    assert last["milliseconds_for_one"] > 0


@pytest.mark.slow
def test_the_bare_script_makes_what_a_run_makes(tmp_path):
    """Else it would be no measure of what Kedro adds."""
    bare = python(
        ROOT, "-m", "benchmarks.bare_run", "sample", str(tmp_path), "--epochs=1", "--seed=3"
    )
    assert bare.returncode == 0, bare.stderr
    made = {path.name for path in tmp_path.iterdir()} - {"checkpoints"}
    assert made == {path.rpartition("/")[2] for path in stored_datasets().values()}
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["models"]["cnn"]["seed"] == 3
