"""What a person sees who gets something wrong: one line, a status, no traceback."""

import click
import h5py
import numpy as np
import pytest
from kedro.io import DatasetError

from mnist_kedro.cli import one_line, run
from mnist_kedro.errors import InputError
from tests.conftest import kedro


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--params", "ingestion.source=nowhere.hdf5"], "nowhere.hdf5: no such file or folder"),
        (["--params", "training.epoch=1"], "'training.epoch' is unknown, did you mean 'epochs'?"),
        (["--params", "training.epochs=-1"], "'training.epochs' is -1, but should be greater"),
        (["--params", "training.models=[cnn,cmm]"], "'training.models.1' is 'cmm', but should"),
        (["--pipelines", "reportin"], "There is no pipeline 'reportin'; there are adversarial"),
        (["--pipelines", "data_processing", "--from-nodes", "x"], "nodes named ['x']"),
        (["--pipelines", "data_processing", "--to-outputs", "x"], "datasets named ['x']"),
        (["--env", "nowhere"], "conf/nowhere"),
    ],
)
def test_a_wrong_run_ends_in_one_line(project, arguments, message):
    finished = kedro(project, "run", *arguments)
    assert finished.returncode == 1
    error = finished.stderr.strip().splitlines()[-1]
    assert error.startswith("Error: ")
    assert message in error
    assert "Traceback" not in finished.stderr
    assert not (project / "data").exists()


def test_a_wrong_file_is_named_and_earlier_outputs_stay(project, tmp_path, mnist):
    assert kedro(project, "run", "--env", "smoke", "--pipelines", "data_processing").returncode == 0
    data = project / "data"
    before = {path: path.read_bytes() for path in data.rglob("*") if path.is_file()}
    assert len(before) == 6  # with the manifest

    path = tmp_path / "labels of one to ten.hdf5"
    with h5py.File(path, "w") as file:
        for key in ("x_train", "x_test"):
            file[key] = mnist[key]
        for key in ("y_train", "y_test"):
            file[key] = mnist[key].astype(np.int64) + 1
    run = ("run", "--env", "smoke", "--pipelines", "data_processing")
    finished = kedro(project, *run, "--params", f"ingestion.source={path}")
    assert finished.returncode == 1
    error = finished.stderr.strip().splitlines()[-1]
    assert error.startswith(f"Error: {path}: 'y_train' should be labels 0–9, but label ")
    assert "Traceback" not in finished.stderr
    assert {path: path.read_bytes() for path in data.rglob("*") if path.is_file()} == before


def test_missing_inputs_are_named_with_what_makes_them(project):
    finished = kedro(project, "run", "--pipelines", "reporting", "--tags", "figures")
    assert finished.returncode == 1
    missing = ("cnn.history", "cnn.predictions", "corruption_accuracies", "dense.history")
    assert f"Error: {', '.join(missing)}, " in finished.stderr
    assert f"make it with 'kedro run --to-outputs {','.join(missing)}," in finished.stderr


def test_verbose_shows_the_traceback(project):
    finished = kedro(project, "run", "--params", "training.epoch=1", "--verbose")
    assert finished.returncode == 1
    assert "check_parameters" in finished.stderr


def test_a_fault_of_the_program_keeps_its_traceback():
    assert one_line(TypeError("a bug")) is None
    assert one_line(ValueError("a bug")) is None


def caused(error, cause):
    error.__cause__ = cause
    return error


def test_an_input_error_is_told_whatever_is_around_it():
    inner = InputError("x.h5: empty file.")
    assert one_line(caused(DatasetError("Validation failed\nfor dataset"), inner)) == str(inner)


def test_an_operating_systems_error_is_told_by_its_file():
    inner = OSError(28, "No space left on device", "/data/x.hdf5")
    error = caused(DatasetError("Failed while saving data to dataset X(…)"), inner)
    assert one_line(error) == "/data/x.hdf5: No space left on device."


def test_help_lists_the_added_option(project):
    finished = kedro(project, "run", "--help")
    assert "--verbose" in finished.stdout
    assert "--only-missing-outputs" in finished.stdout


@pytest.mark.parametrize(
    ("given", "parameters"),
    [
        ("", {}),
        ("a.b=1,c=x", {"a": {"b": 1}, "c": "x"}),
        ("a.b=[x,y], c=2", {"a": {"b": ["x", "y"]}, "c": 2}),
        ("a=[x]", {"a": ["x"]}),
        ("source=a=b.hdf5", {"source": "a=b.hdf5"}),
    ],
)
def test_parameters_on_the_command_line_may_be_lists(given, parameters):
    option = next(option for option in run.params if option.name == "params")
    assert option.callback(None, option, given) == parameters


@pytest.mark.parametrize("given", ["a", "=1", "a=1,b"])
def test_a_parameter_on_the_command_line_needs_a_name_and_a_value(given):
    option = next(option for option in run.params if option.name == "params")
    with pytest.raises(click.BadParameter, match="should be <parameter>=<value>"):
        option.callback(None, option, given)
