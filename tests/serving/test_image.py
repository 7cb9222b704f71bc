"""The image that the Dockerfile makes, made without Docker: its packages, and nothing else."""

import subprocess
import sys
import tomllib

import pytest

from mnist_kedro.serving.model import example_pixels
from tests.support.paths import ROOT
from tests.support.pictures import saved
from tests.support.project import Project
from tests.support.server import serving

DOCKERFILE = (ROOT / "Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def interpreter(tmp_path_factory):
    folder = tmp_path_factory.mktemp("image")
    source = Project.clone(folder / "source").folder
    uv = [sys.executable, "-m", "uv"]
    python = folder / "app" / "bin" / "python"
    for command in (
        ["venv", "--quiet", "--python", sys.executable, folder / "app"],
        ["pip", "install", "--quiet", "--python", python, "-r", ROOT / "requirements-serving.txt"],
        ["pip", "install", "--quiet", "--python", python, "--no-deps", source],
    ):
        subprocess.run([*uv, *map(str, command)], check=True)
    return python


def test_the_dockerfile_installs_what_is_tested_here():
    assert "-r requirements-serving.txt" in DOCKERFILE
    assert "--no-deps ." in DOCKERFILE
    assert '"-m", "mnist_kedro.serving", "--host", "0.0.0.0", "--models", "/models"' in DOCKERFILE
    assert DOCKERFILE.index("USER 10001") < DOCKERFILE.index("ENTRYPOINT")


def test_the_group_has_all_of_the_extra():
    needed = set(PROJECT["project"]["optional-dependencies"]["serving"])
    assert needed < set(PROJECT["dependency-groups"]["serving"])
    assert "tensorflow" not in (ROOT / "requirements-serving.txt").read_text()


@pytest.mark.slow
def test_it_serves(interpreter, export, exported, tmp_path):
    """From a folder that is no project, with the project's sources out of reach."""
    models = export()
    with serving(tmp_path, "--models", str(models), program=interpreter) as server:
        example = exported[1]["examples"][4]
        answer = server.ask("POST", "/api/predict", saved(example_pixels(example)))
        assert answer.status == 200
        assert answer.body["probabilities"] == pytest.approx(example["probabilities"], abs=1e-4)
        assert b"<canvas" in server.ask("GET", "/").body
        assert server.program.status("VmHWM") < 250_000  # kB
