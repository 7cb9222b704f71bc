"""Fixtures: real digits, and a copy of the project to run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from mnist_kedro.contracts import LabelledImages, Mnist
from mnist_kedro.datasets import atomic_filesystem
from mnist_kedro.sources.hdf5 import read_hdf5
from mnist_kedro.sources.sample import SAMPLE

ROOT = Path(__file__).parents[1]
FULL_MNIST = ROOT.parent / "shared" / "data" / "mnist"

# Machines that run tests may be slow and shared.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")

atomic_filesystem.register()  # as settings.py does

needs_full_mnist = pytest.mark.skipif(
    not FULL_MNIST.is_dir(), reason="the full MNIST's IDX files are not beside the project"
)


@pytest.fixture(scope="session")
def mnist() -> Mnist:
    """800 training and 200 test digits of the embedded sample."""
    arrays = read_hdf5(SAMPLE)
    return Mnist(
        x_train=arrays["x_train"][:800],
        y_train=arrays["y_train"][:800],
        x_test=arrays["x_test"][:200],
        y_test=arrays["y_test"][:200],
        source="sample",
        canonical_mnist=False,
    )


@pytest.fixture(scope="session")
def digits(mnist: Mnist) -> LabelledImages:
    """800 labelled digits."""
    return LabelledImages(
        images=mnist["x_train"][..., np.newaxis],
        labels=mnist["y_train"],
        source="sample",
        canonical_mnist=False,
    )


def copy_project(target: Path) -> Path:
    """Copy what a clone of the project has, without any output of a run."""
    target.mkdir(parents=True)
    shutil.copytree(ROOT / "src", target / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "conf", target / "conf", ignore=shutil.ignore_patterns("local"))
    (target / "conf" / "local").mkdir()
    for name in ("pyproject.toml", ".telemetry", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, target / name)
    return target


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A fresh copy of the project."""
    return copy_project(tmp_path / "project")


def environment(project: Path) -> dict[str, str]:
    """The variables under which a program takes the project's sources."""
    return {**os.environ, "PYTHONPATH": str(project / "src"), "DO_NOT_TRACK": "1"}


def python(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the project's folder and with its sources."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env=environment(project),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def kedro(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``kedro`` in the project, as a person would."""
    return python(project, "-m", "kedro", *arguments)


@pytest.fixture(scope="session")
def smoke_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which ``kedro run --env smoke`` has run once. Do not change it."""
    project = copy_project(tmp_path_factory.mktemp("smoke") / "project")
    finished = kedro(project, "run", "--env", "smoke")
    assert finished.returncode == 0, finished.stderr
    (project / "first_run.log").write_text(finished.stderr)
    return project


def latest(project: Path, path: str) -> Path:
    """The latest version of a smoke run's output."""
    folder = project / "data" / "smoke" / path
    return max(folder.iterdir()) / folder.name
