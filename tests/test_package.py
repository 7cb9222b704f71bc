"""``kedro package`` makes a wheel that runs the job, with its own or another configuration."""

import re
import tarfile
import zipfile

import pytest

from tests.support.project import Project, python

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def packaged(smoke, tmp_path_factory):
    """A project, whose ``dist/`` has the wheel, and that has credentials in ``conf/local/``."""
    project = smoke.copy(tmp_path_factory.mktemp("packaged") / "project")
    (project.folder / "conf" / "local" / "credentials.yml").write_text("s3: {key: secret}")
    finished = python(project.folder, "-m", "kedro", "package")
    assert finished.returncode == 0, finished.stderr
    return project


@pytest.fixture
def installed(packaged, tmp_path):
    """An empty folder, with the wheel in its sub-folder ``src``, from which `python` imports."""
    (wheel,) = (packaged.folder / "dist").glob("*.whl")
    folder = tmp_path / "somewhere else"
    folder.mkdir()
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", "src", str(wheel)]
    finished = python(folder, *install)
    assert finished.returncode == 0, finished.stderr
    return folder


def without_times(log):
    """Remove what differs between equal runs: times, versions, and which nodes last long."""
    kept = [line for line in log.splitlines() if "  Running " not in line]
    text = re.sub(
        r"\d\d:\d\d:\d\d  |\d+\.\d s$|\d{4}-\S+Z", "", "\n".join(kept), flags=re.MULTILINE
    )
    return re.sub(r"(Next, .*: ).*kedro( run)?", r"\1", text)


def test_an_installed_wheel_runs_with_its_configuration_and_logs_as_kedro_run(packaged, installed):
    finished = python(installed, "-m", "mnist_kedro", "--env", "smoke")
    assert finished.returncode == 0, finished.stderr
    first_run = (packaged.folder / "first_run.log").read_text().partition("\n")[2]
    assert without_times(finished.stderr) == without_times(first_run)
    assert "-m mnist_kedro --env smoke --pipelines inference" in finished.stderr
    assert Project(installed).latest("08_reporting/metrics.json").is_file()
    assert Project(installed).latest("06_models/cnn.keras").is_file()


@pytest.mark.parametrize("given", ["option", "folder"])
def test_an_installed_wheel_runs_with_another_configuration(packaged, installed, given):
    archive = packaged.folder / "dist" / "conf-mnist_kedro.tar.gz"
    if given == "folder":
        with tarfile.open(archive) as file:
            file.extractall(installed, filter="data")
        path = installed / "conf" / "smoke" / "parameters.yml"
        path.write_text(path.read_text() + "\n  no_such_parameter: 1\n")
        options = []
    else:
        options = ["--conf-source", str(archive)]
    run = ("-m", "mnist_kedro", *options, "--env", "smoke", "--pipelines", "ingestion")
    finished = python(installed, *run)
    assert ("no_such_parameter" in finished.stderr) == (given == "folder"), finished.stderr


def test_a_wheel_has_no_credentials(packaged):
    (wheel,) = (packaged.folder / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        local = [name for name in file.namelist() if "/local/" in name]
        assert local == ["mnist_kedro/conf/local/.gitkeep"]
