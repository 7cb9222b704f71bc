"""What a person sees who gets something wrong: one line, a status, no traceback."""

import pytest
from kedro.io import DatasetError

from mnist_kedro.cli import user_message
from mnist_kedro.errors import InputError
from tests.support.files import write_mnist
from tests.support.project import Project, python


@pytest.fixture(scope="module")
def unused(tmp_path_factory):
    """A copy of the project in which no run gets so far as to save anything."""
    return Project.clone(tmp_path_factory.mktemp("unused") / "project")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--params", "ingestion.source=nowhere.hdf5"], "nowhere.hdf5: no such file or folder"),
        (["--params", "training.epoch=1"], "'training.epoch' is unknown, did you mean 'epochs'?"),
        (["--params", "training.epochs=-1"], "'training.epochs' is -1, but should be greater"),
        (["--params", "training.models=[cnn,cmm]"], "'training.models.1' is 'cmm', but should"),
        (["--pipelines", "reportin"], "Failed to find the pipeline named 'reportin'"),
        (["--pipelines", "data_processing", "--from-nodes", "x"], "nodes named ['x']"),
        (["--pipelines", "data_processing", "--to-outputs", "x"], "datasets named ['x']"),
        (["--env", "nowhere"], "conf/nowhere"),
        (["--runner", "ThreadRunner"], "ThreadRunner cannot run 'train_cnn': parallel training"),
        (["--runner", "ParallelRunner"], "ParallelRunner cannot run 'train_cnn'"),
        (["--params", "training.seed=4294967296"], "'training.seed' is 4294967296, but should be"),
        (
            ["--pipelines", "training", "--params", "training.epochs=1,ingestion.source=sample"],
            "but nodes of 'ingestion' do; add that pipeline: --pipelines ingestion,training.",
        ),
        (
            ["--params", "training.models=[cnn],dense.network.units=[9]"],
            "'dense.network.units' has",
        ),
        (
            ["--nodes", "ingest_mnist", "--params", "training.members=2"],
            "'training.members' has no",
        ),
        (
            ["--load-versions", "mnist:2020"],
            "mnist has no effect: 'ingest_mnist' of this run creates",
        ),
        (
            ["--nodes", "ingest_mnist", "--load-versions", "train:2020"],
            "train has no effect: no node",
        ),
        (
            ["--pipelines", "training", "--load-versions", "train:2020"],
            "train: version 2020 does not exist; the dataset has no versions.",
        ),
    ],
)
def test_a_wrong_run_ends_in_one_line(unused, arguments, message):
    outcome = unused.kedro("run", *arguments)
    assert outcome.status == 1
    assert outcome.last_line.startswith("Error: ")
    assert message in outcome.last_line
    assert "Traceback" not in outcome.log
    assert not (unused.folder / "data").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--runner", "Threadrunner"], "unknown runner 'Threadrunner'; choose one of Sequential"),
        (
            ["--params", "training.models=[dense,training.epochs=1"],
            "training.models: unclosed bracket, brace or quote in",
        ),
    ],
)
def test_a_wrong_option_is_told_as_by_click(unused, arguments, message):
    outcome = unused.kedro("run", *arguments)
    assert outcome.status == 2
    assert message in outcome.last_line


def test_a_wrong_file_is_named_and_earlier_outputs_stay(project, tmp_path, mnist):
    slices = ("--pipelines", "ingestion,data_processing")
    project.make(*slices)
    before = project.files()
    assert len(before) == 6  # with the manifest
    wrong = {**mnist, **{key: mnist[key].astype(int) + 7 for key in ("y_train", "y_test")}}
    path = write_mnist(tmp_path / "other labels.hdf5", wrong)
    outcome = project.run(*slices, "--params", f"ingestion.source={path}")
    assert outcome.status == 1
    assert outcome.last_line.startswith(
        f"Error: {path}: 'y_train' should be labels 0–9 or 1–10, but label"
    )
    assert "Traceback" not in outcome.log
    assert project.files() == before


def test_missing_inputs_are_named_with_what_makes_them(unused):
    outcome = unused.kedro("run", "--pipelines", "reporting", "--tags", "figures")
    assert outcome.status == 1
    missing = ("cnn.history", "cnn.predictions", "corruption_accuracies", "dense.history")
    assert f"Error: missing inputs: {', '.join(missing)}, " in outcome.log
    assert outcome.last_line.endswith("create them with 'kedro run'.")


def test_verbose_logs_details_and_without_it_none_are_logged(unused):
    arguments = ("run", "--env", "smoke", "--pipelines", "ingestion")
    details = [
        line for line in unused.kedro(*arguments, "--verbose").log.splitlines() if "DEBUG" in line
    ]
    assert [line[19:39] for line in details] == ["Done: ingest_mnist ("]
    assert "Done: " not in unused.kedro(*arguments).log


def test_verbose_shows_the_traceback(unused):
    outcome = unused.kedro("run", "--params", "training.epoch=1", "--verbose")
    assert outcome.status == 1
    assert "check_parameters" in outcome.log


def caused(error, cause):
    error.__cause__ = cause
    return error


def test_a_fault_of_the_program_keeps_its_traceback():
    assert user_message(TypeError("a bug")) is None
    assert user_message(ValueError("a bug")) is None
    saving = DatasetError("Failed while saving data to dataset X(…)")
    assert user_message(caused(saving, TypeError("a bug"))) is None


def test_an_input_error_is_told_whatever_is_around_it():
    inner = InputError("x.h5: empty file.")
    assert user_message(caused(DatasetError("Validation failed\nfor dataset"), inner)) == str(inner)


def test_an_operating_systems_error_is_told_by_its_file():
    inner = OSError(28, "No space left on device", "/data/x.hdf5")
    error = caused(DatasetError("Failed while saving data to dataset X(…)"), inner)
    assert user_message(error) == "/data/x.hdf5: No space left on device."


def test_a_damaged_file_is_told():
    error = DatasetError("Failed while loading data from dataset X(…).\nnot JSON")
    assert user_message(caused(error, ValueError("not JSON"))).endswith("X(…). not JSON")


def test_runs_in_a_thread_that_is_not_the_main_one(unused):
    script = """
import threading
from mnist_kedro.__main__ import main
thread = threading.Thread(target=main, args=(["--pipelines", "nowhere"],))
thread.start()
thread.join()
"""
    log = python(unused.folder, "-c", script).stderr
    assert "Error: Failed to find the pipeline named 'nowhere'" in log
    assert "Traceback" not in log


@pytest.mark.parametrize("command", ["catalog describe-datasets", "registry list"])
def test_kedros_other_commands_warn_of_nothing(unused, command):
    outcome = unused.kedro(*command.split())
    assert outcome.status == 0
    assert "training" in outcome.log
    assert "WARNING" not in outcome.log


def test_help_lists_the_added_option(unused):
    assert {"--verbose", "--only-missing-outputs"} <= {*unused.kedro("run", "--help").log.split()}


@pytest.mark.slow
def test_the_script_is_the_same_as_kedro_run(project, tmp_path):
    script = str(project.folder / "train_mnist.py")
    options = ("--env", "smoke", "--pipelines", "ingestion,data_processing")
    finished = python(tmp_path, script, *options, PYTHONPATH=str(project.folder / "src"))
    assert finished.returncode == 0, finished.stderr
    assert project.versions("05_model_input/train.hdf5")
    wrong = python(tmp_path, script, "--params", "training.epoch=1")
    assert wrong.returncode == 1
    assert "did you mean 'epochs'?" in wrong.stderr
