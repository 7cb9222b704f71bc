"""Fixtures: real digits, and a copy of the project to run."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from mnist_kedro.contracts import LabelledImages, Mnist, provenance
from mnist_kedro.datasets import atomic_filesystem
from mnist_kedro.parameters import IngestionParameters
from mnist_kedro.sources import read_mnist

ROOT = Path(__file__).parents[1]
FULL_MNIST = ROOT.parent / "shared" / "data" / "mnist"
PATIENCE = 900  # seconds; what takes two minutes on a slow machine hangs if it takes longer

# Machines that run tests may be slow and shared.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")

atomic_filesystem.register()  # as settings.py does

needs_full_mnist = pytest.mark.skipif(
    not FULL_MNIST.is_dir(), reason="the full MNIST's IDX files are not beside the project"
)


def ingestion(source: str | Path, **changes: Any) -> IngestionParameters:
    """Parameters of ``ingestion`` that reach no network and no file but the one named."""
    values = {
        "source": str(source),
        "keys": None,
        "max_digits": 100_000,
        "test_fraction": 0.15,
        "seed": 0,
        "search_folder": "nowhere",
        "mirrors": (),
        "attempts": 1,
        "timeout_seconds": 1,
        "mirror_seconds": 60,
    }
    return IngestionParameters.model_validate({**values, **changes})


@pytest.fixture(scope="session")
def mnist() -> Mnist:
    """800 training and 200 test digits of the embedded sample."""
    sample = read_mnist(ingestion("sample"))
    few = {"x_train": 800, "y_train": 800, "x_test": 200, "y_test": 200}
    return {**sample, **{key: sample[key][:count] for key, count in few.items()}}


@pytest.fixture(scope="session")
def digits(mnist: Mnist) -> LabelledImages:
    """800 labelled digits."""
    return LabelledImages(
        images=mnist["x_train"][..., np.newaxis], labels=mnist["y_train"], **provenance(mnist)
    )


@contextmanager
def another_user():
    """For root may read everything."""
    if os.geteuid() == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        if os.getuid() == 0:
            os.seteuid(0)


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
        timeout=PATIENCE,
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


@pytest.fixture
def finished_project(smoke_project: Path, tmp_path: Path) -> Path:
    """A copy of the project after its first run, to be changed."""
    shutil.copytree(smoke_project, tmp_path / "project")
    return tmp_path / "project"


def latest(project: Path, path: str) -> Path:
    """The latest version of a smoke run's output."""
    folder = project / "data" / "smoke" / path
    return max(folder.iterdir()) / folder.name


@pytest.fixture(scope="module")
def running_project(smoke_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A copy of the project after its first run, in which runs start fast and may go wrong."""
    from tests.reliability.runs import Project

    folder = tmp_path_factory.mktemp("running") / "project"
    shutil.copytree(smoke_project, folder)
    project = Project(folder)
    yield project
    project.close()


@pytest.fixture(scope="session")
def trained(digits):
    """A small network, trained on the digits that it is asked about, so that it reads them well."""
    import keras

    from tests.models.test_networks import NETWORKS, build

    keras.utils.set_random_seed(0)
    model = build(NETWORKS[0])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(digits["images"], digits["labels"], batch_size=20, epochs=15, verbose=0)
    return model
