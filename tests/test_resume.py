"""Runs that are interrupted and resumed, as a person does it."""

import json
import shutil
import signal

import pytest

from tests.reliability.runs import Project

ARGUMENTS = ("--pipelines", "training", "--params")


def histories(project):
    """The latest of both networks, without the seconds."""
    found = {}
    for model in ("cnn", "dense"):
        folder = project.data / "06_models" / f"{model}_history.json"
        history = json.loads((max(folder.iterdir()) / folder.name).read_text())
        found[model] = {k: v for k, v in history.items() if not k.endswith("seconds")}
    return found


@pytest.fixture(scope="module")
def project(smoke_project, tmp_path_factory):
    folder = tmp_path_factory.mktemp("resumed") / "project"
    shutil.copytree(smoke_project, folder)
    project = Project(folder)
    yield project
    project.close()


@pytest.fixture(scope="module")
def whole(project):
    """The result without an interruption, and that no checkpoint is left of it."""
    assert project.run(*ARGUMENTS, "training.epochs=5").status == 0
    assert not list(project.data.rglob("epoch_*"))
    return histories(project)


@pytest.mark.parametrize(
    ("stop", "number", "status"),
    [
        ("cnn: epoch 3", signal.SIGINT, 130),
        ("cnn: epoch 3", signal.SIGTERM, 143),
        ("cnn: epoch 4", signal.SIGKILL, -9),
        ("dense: epoch 2", signal.SIGKILL, -9),
    ],
)
def test_a_killed_run_goes_on(project, whole, stop, number, status):
    killed = project.run(*ARGUMENTS, "training.epochs=5", kill_when=stop, kill_with=number)
    assert killed.status == status, killed.log
    if number != signal.SIGKILL:
        said = killed.log.strip().splitlines()[-1]
        assert said.startswith("Interrupted. cnn: ")
        assert "is kept; the same command with --params training.resume=true" in said
        assert "Traceback" not in killed.log
    resumed = project.run(*ARGUMENTS, "training.epochs=5,training.resume=true")
    assert resumed.status == 0, resumed.log
    assert "going on after epoch" in resumed.log
    assert histories(project) == whole
    assert not list(project.data.rglob("epoch_*"))
