import pytest

from mnist_kedro.logs import load_logging_configuration
from tests.support.paths import ROOT
from tests.support.project import python


@pytest.mark.parametrize("from_folder", [".", "notebooks/deep"])
def test_the_project_can_change_the_logging_wherever_one_is_in_it(
    tmp_path, monkeypatch, from_folder
):
    (tmp_path / "pyproject.toml").write_text("[tool.kedro]\n")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "logging.yml").write_text("loggers: {kedro.io: {level: INFO}}")
    folder = tmp_path / from_folder
    folder.mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(folder)
    loggers = load_logging_configuration()["loggers"]
    assert loggers["kedro.io"] == {"level": "INFO"}
    assert loggers["mnist_kedro"] == {"level": "INFO"}


def test_without_a_project_the_package_has_all_it_needs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_logging_configuration()["root"]["handlers"] == ["console"]


def test_a_replaced_configuration_can_log_details_too(tmp_path):
    """Kedro hands the configuration to the processes of ParallelRunner, so it has to change."""
    path = tmp_path / "mine.yml"
    path.write_text("version: 1\nroot: {level: WARNING}\n")
    script = """
import logging
from kedro.framework.project import LOGGING, configure_project
from mnist_kedro.logs import log_details
configure_project("mnist_kedro")
log_details()
print(logging.getLogger("mnist_kedro").level, LOGGING["loggers"], LOGGING["root"])
"""
    told = python(ROOT, "-c", script, KEDRO_LOGGING_CONFIG=str(path))
    assert told.stdout.strip() == ("10 {'mnist_kedro': {'level': 'DEBUG'}} {'level': 'WARNING'}"), (
        told.stderr
    )
