"""``kedro package`` makes a wheel that runs the job."""

from tests.conftest import kedro, latest, python


def test_an_installed_wheel_runs_the_job(project, tmp_path):
    packaged = kedro(project, "package")
    assert packaged.returncode == 0, packaged.stderr
    (wheel,) = (project / "dist").glob("*.whl")
    folder = tmp_path / "somewhere else"
    folder.mkdir()
    # `python` takes sources from here, so what runs is what the wheel holds.
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", "src", str(wheel)]
    installed = python(folder, *install)
    assert installed.returncode == 0, installed.stderr

    configuration = str(project / "dist" / "conf-mnist_kedro.tar.gz")
    run = ("-m", "mnist_kedro", "--conf-source", configuration, "--env", "smoke")
    finished = python(folder, *run)
    assert finished.returncode == 0, finished.stderr
    assert latest(folder, "08_reporting/metrics.json").is_file()
    assert latest(folder, "06_models/cnn.keras").is_file()
