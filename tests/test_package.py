"""``kedro package`` makes a wheel that runs the job."""

import re

import pytest

from tests.support.project import Project, python

pytestmark = pytest.mark.slow


def test_an_installed_wheel_runs_the_job(project, tmp_path):
    packaged = python(project.folder, "-m", "kedro", "package")
    assert packaged.returncode == 0, packaged.stderr
    (wheel,) = (project.folder / "dist").glob("*.whl")
    folder = tmp_path / "somewhere else"
    folder.mkdir()
    # `python` imports from src, so what runs is what the wheel holds.
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", "src", str(wheel)]
    installed = python(folder, *install)
    assert installed.returncode == 0, installed.stderr

    configuration = str(project.folder / "dist" / "conf-mnist_kedro.tar.gz")
    run = ("-m", "mnist_kedro", "--conf-source", configuration, "--env", "smoke")
    finished = python(folder, *run)
    assert finished.returncode == 0, finished.stderr
    log = finished.stderr[finished.stderr.index("Kedro project") - 19 :].splitlines()
    assert [line for line in log if not re.match(r"\d\d:\d\d:\d\d  (INFO|WARNING)  ", line)] == []
    assert Project(folder).latest("08_reporting/metrics.json").is_file()
    assert Project(folder).latest("06_models/cnn.keras").is_file()
