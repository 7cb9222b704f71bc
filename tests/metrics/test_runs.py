import pytest

from mnist_kedro.metrics.runs import describe_runs

DIGESTS = {"source": "sample", "sha256_x_train": "a"}


def metrics(**accuracies):
    models = {
        name: {
            "accuracy": accuracy,
            "accuracy_ci95": (accuracy - 0.01, accuracy + 0.01),
            "errors": round(1000 * (1 - accuracy)),
            "training_seconds": 3.0,
        }
        for name, accuracy in accuracies.items()
    }
    return {"data": {"test": 1000, "description": "A sample"}, "models": models}


def manifest(commit="0123456789", modified=False, digests=DIGESTS, **training):
    return {
        "git": {"commit": commit, "modified": modified},
        "parameters": {"training": {"epochs": 2, **training}, "reporting": {"examples": 40}},
        "packages": {"keras": "3.15.1"},
        "processor": "one",
        "data": digests,
    }


def changed(before, after):
    table = describe_runs({"1": metrics(cnn=0.9), "2": metrics(cnn=0.9)}, {"1": before, "2": after})
    return table["changed"].tolist()[1]


def test_a_row_for_each_model_of_each_run():
    runs = {"1": metrics(cnn=0.9, dense=0.8), "2": metrics(cnn=0.95)}
    table = describe_runs(runs, {"1": manifest(), "2": manifest(epochs=3)})
    assert table["run"].tolist() == ["1", "1", "2"]
    assert table["model"].tolist() == ["cnn", "dense", "cnn"]
    assert table["accuracy"].tolist() == [0.9, 0.8, 0.95]
    assert table["low"].tolist() == pytest.approx([0.89, 0.79, 0.94])
    assert table["commit"].tolist() == ["0123456789"] * 3
    assert table["changed"].tolist() == ["", "", "training.epochs: 2 → 3"]


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (manifest(), ""),
        (manifest(seed=7), "training.seed: none → 7"),
        (manifest(augmentation={"shift": 2}), "training.augmentation.shift: none → 2"),
        (manifest(commit="abcdef0123"), "commit abcdef0"),
        (manifest(modified=True), "uncommitted changes"),
        (manifest(digests={"source": "x.h5", "sha256_x_train": "b"}), "different data"),
        ({**manifest(), "packages": {"keras": "3.16.0"}}, "keras 3.16.0"),
        ({**manifest(), "processor": "another"}, "on another"),
        ({**manifest(), "git": None}, "commit unknown"),
    ],
)
def test_says_what_changed(after, said):
    assert changed(manifest(), after) == said


def test_a_run_without_a_manifest_is_passed_over():
    runs = {name: metrics(cnn=0.9) for name in "123"}
    table = describe_runs(runs, {"1": manifest(), "3": manifest(epochs=5)})
    assert table["changed"].tolist() == ["", "", "training.epochs: 2 → 5"]
    assert table["commit"].isna().tolist() == [False, True, False]


def test_changes_are_those_of_the_trainings():
    """A report on an earlier model has changed what was trained, but no parameter of its run."""

    def trained(**training):
        record = {
            "parameters": {"training": {"batch_size": 64, **training}, "network": {"units": 9}}
        }
        return metrics(cnn=0.9) | {"training_records": {"cnn": record}}

    runs = {"1": trained(epochs=16), "2": trained(epochs=1, augmentation=0, seed=7)}
    table = describe_runs(runs, {"1": manifest(), "2": manifest()})
    first = "training.epochs: 16 → 1; training.seed: none → 7; training.augmentation: none → 0"
    assert table["changed"].iloc[1] == first
