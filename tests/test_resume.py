"""Runs that are interrupted and resumed, as a person does it."""

import json
import signal

import pytest

ARGUMENTS = ("--pipelines", "training", "--params")


def histories(running_project):
    """The latest of both networks, without the seconds."""
    found = {}
    for model in ("cnn", "dense"):
        folder = running_project.data / "06_models" / f"{model}_history.json"
        history = json.loads((max(folder.iterdir()) / folder.name).read_text())
        found[model] = {k: v for k, v in history.items() if not k.endswith("seconds")}
    return found


@pytest.fixture(scope="module")
def whole(running_project):
    """The result without an interruption, and that no checkpoint is left of it."""
    assert running_project.run(*ARGUMENTS, "training.epochs=5").status == 0
    assert not list(running_project.data.rglob("epoch_*"))
    return histories(running_project)


@pytest.mark.parametrize(
    ("stop", "number", "status"),
    [
        ("cnn: epoch 3", signal.SIGINT, 130),
        ("cnn: epoch 3", signal.SIGTERM, 143),
        ("cnn: epoch 4", signal.SIGKILL, -9),
        ("dense: epoch 2", signal.SIGKILL, -9),
    ],
)
def test_a_killed_run_goes_on(running_project, whole, stop, number, status):
    killed = running_project.run(*ARGUMENTS, "training.epochs=5", kill_when=stop, kill_with=number)
    assert killed.status == status, killed.log
    if number != signal.SIGKILL:
        said = killed.log.strip().splitlines()[-1]
        assert said.startswith("Interrupted. cnn: ")
        assert "is kept; the same command with --params training.resume=true" in said
        assert "Traceback" not in killed.log
    resumed = running_project.run(*ARGUMENTS, "training.epochs=5,training.resume=true")
    assert resumed.status == 0, resumed.log
    assert "going on after epoch" in resumed.log
    assert histories(running_project) == whole
    assert not list(running_project.data.rglob("epoch_*"))
