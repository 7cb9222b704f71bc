"""Fixtures: real digits, a trained network, and a project that has run."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

from mnist_kedro.contracts import LabeledImages, Mnist, provenance
from mnist_kedro.datasets import atomic_filesystem
from mnist_kedro.sources import read_mnist
from tests.support.networks import build
from tests.support.parameters import ingestion
from tests.support.project import Project, python

# Machines that run tests may be slow and shared.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")

atomic_filesystem.register()  # as settings.py does


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with files of slow tests, so that no process is left with one in the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def make_once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Callable[..., Path]:
    """Make a file or folder in one test process, and use it in all of them."""
    folder = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        folder = folder.parent

    def once(name: str, make: Callable[[Path], Any]) -> Path:
        with FileLock(folder / f"{name}.lock"):
            if not (folder / f"{name}.done").exists():
                make(folder / name)
                (folder / f"{name}.done").touch()
        return folder / name

    return once


@pytest.fixture(scope="session")
def mnist() -> Mnist:
    """800 training and 200 test digits of the embedded sample."""
    sample = read_mnist(ingestion("sample"))
    few = {"x_train": 800, "y_train": 800, "x_test": 200, "y_test": 200}
    return {**sample, **{key: sample[key][:count] for key, count in few.items()}}


@pytest.fixture(scope="session")
def digits(mnist: Mnist) -> LabeledImages:
    """800 labeled digits."""
    return LabeledImages(
        images=mnist["x_train"][..., np.newaxis], labels=mnist["y_train"], **provenance(mnist)
    )


@pytest.fixture(scope="session")
def trained(digits: LabeledImages, make_once: Callable[..., Path]) -> Any:
    """A small CNN that classifies the digits it was trained on well."""
    import keras

    def train(path: Path) -> None:
        keras.utils.set_random_seed(0)
        model = build("cnn")
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(digits["images"], digits["labels"], batch_size=20, epochs=15, verbose=0)
        model.save(path)

    return keras.models.load_model(make_once("trained.keras", train))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A fresh copy of the project."""
    return Project.clone(tmp_path / "project")


@pytest.fixture(scope="session")
def smoke(make_once: Callable[..., Path]) -> Project:
    """A project in which ``kedro run --env smoke`` has run once. Do not change it."""

    def run(folder: Path) -> None:
        finished = python(Project.clone(folder).folder, "-m", "kedro", "run", "--env", "smoke")
        (folder / "first_run.log").write_text(f"{finished.returncode}\n{finished.stderr}")

    project = Project(make_once("smoke", run))
    status, _, log = (project.folder / "first_run.log").read_text().partition("\n")
    assert status == "0", log
    return project


@pytest.fixture
def finished(smoke: Project, tmp_path: Path) -> Project:
    """A copy of the project after its first run, to be changed."""
    return smoke.copy(tmp_path / "project")


@pytest.fixture(scope="module")
def running(smoke: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A copy of the project after its first run, for all tests of a file; runs may go wrong."""
    project = smoke.copy(tmp_path_factory.mktemp("running") / "project")
    yield project
    shutil.rmtree(project.folder)
