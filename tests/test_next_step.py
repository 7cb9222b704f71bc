import os
import sys
from pathlib import Path

import pytest

from mnist_kedro.hooks.next_step import suggest_next_step

REPORT = "data/08_reporting/latest/report.html"


@pytest.fixture(params=["project", "folder"])
def folder(request, tmp_path, monkeypatch):
    """Stand in a project, or in a folder that is none, as with an installed wheel."""
    monkeypatch.chdir(tmp_path)
    if request.param == "project":
        Path("pyproject.toml").write_text("[tool.kedro]\n")
    return request.param


@pytest.mark.parametrize("is_activated", [True, False])
def test_suggests_a_command_as_one_types_it(folder, monkeypatch, is_activated):
    programs = Path(".venv/bin").absolute()
    programs.mkdir(parents=True)
    for name in ("kedro", "python"):
        (programs / name).touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(programs / "python"))
    monkeypatch.setenv("PATH", str(programs) if is_activated else os.defpath)
    prefix = "" if is_activated else f".venv{os.sep}bin{os.sep}"
    command = {"project": "kedro run", "folder": "python -m mnist_kedro"}[folder]
    assert suggest_next_step("report", REPORT, "smoke") == (
        f"classify your own pictures: {prefix}{command} --env smoke --pipelines inference "
        "--params inference.images=FOLDER"
    )


@pytest.mark.parametrize("environment", [None, "smoke"])
def test_suggests_the_app_where_make_starts_it(folder, monkeypatch, environment):
    Path("Makefile").touch()
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    app = "draw digits in the browser: make app"
    assert (suggest_next_step("report", REPORT, environment) == app) is (environment is None)


def test_suggests_nothing_after_other_datasets():
    assert suggest_next_step("pixel_statistics", "x.json", None) is None
