"""What a person sees who gets something wrong: one line, a status, no traceback."""

import click
import pytest
from kedro.io import DatasetError

from mnist_kedro.cli import one_line, run
from mnist_kedro.errors import InputError
from tests.support.files import write_mnist
from tests.support.project import Project


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
        (["--pipelines", "reportin"], "There is no pipeline 'reportin'; there are adversarial"),
        (["--pipelines", "data_processing", "--from-nodes", "x"], "nodes named ['x']"),
        (["--pipelines", "data_processing", "--to-outputs", "x"], "datasets named ['x']"),
        (["--env", "nowhere"], "conf/nowhere"),
    ],
)
def test_a_wrong_run_ends_in_one_line(unused, arguments, message):
    outcome = unused.kedro("run", *arguments)
    assert outcome.status == 1
    assert outcome.last_line.startswith("Error: ")
    assert message in outcome.last_line
    assert "Traceback" not in outcome.log
    assert not (unused.folder / "data").exists()


def test_a_wrong_file_is_named_and_earlier_outputs_stay(project, tmp_path, mnist):
    project.make("--pipelines", "data_processing")
    before = project.files()
    assert len(before) == 6  # with the manifest
    wrong = {**mnist, **{key: mnist[key].astype(int) + 1 for key in ("y_train", "y_test")}}
    path = write_mnist(tmp_path / "labels of one to ten.hdf5", wrong)
    outcome = project.run("--pipelines", "data_processing", "--params", f"ingestion.source={path}")
    assert outcome.status == 1
    assert outcome.last_line.startswith(f"Error: {path}: 'y_train' should be labels 0–9, but label")
    assert "Traceback" not in outcome.log
    assert project.files() == before


def test_missing_inputs_are_named_with_what_makes_them(unused):
    outcome = unused.kedro("run", "--pipelines", "reporting", "--tags", "figures")
    assert outcome.status == 1
    missing = ("cnn.history", "cnn.predictions", "corruption_accuracies", "dense.history")
    assert f"Error: {', '.join(missing)}, " in outcome.log
    assert f"make it with 'kedro run --to-outputs {','.join(missing)}," in outcome.log


def test_verbose_shows_the_traceback(unused):
    outcome = unused.kedro("run", "--params", "training.epoch=1", "--verbose")
    assert outcome.status == 1
    assert "check_parameters" in outcome.log


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


def test_help_lists_the_added_option(unused):
    assert {"--verbose", "--only-missing-outputs"} <= {*unused.kedro("run", "--help").log.split()}


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
