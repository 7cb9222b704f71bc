"""Runs that are interrupted and resumed, as a person does it."""

import signal

import pytest

from tests.support.project import without_seconds

pytestmark = pytest.mark.slow

ARGUMENTS = ("--pipelines", "training", "--params")


def histories(project):
    """The latest of both networks, without the seconds."""
    return {
        model: without_seconds(project.latest_json(f"06_models/{model}_history.json"))
        for model in ("cnn", "dense")
    }


@pytest.fixture(scope="module")
def whole(running):
    """The result without an interruption, and that no checkpoint is left of it."""
    running.make(*ARGUMENTS, "training.epochs=5")
    assert not list(running.data.rglob("epoch_*"))
    return histories(running)


@pytest.mark.parametrize(
    ("stop", "number", "status"),
    [
        ("cnn: epoch 3", signal.SIGTERM, 143),
        ("cnn: epoch 4", signal.SIGKILL, -9),
        ("dense: epoch 2", signal.SIGKILL, -9),
    ],
)
def test_resumes_after_sigterm_and_sigkill(running, whole, stop, number, status):
    run = running.start("run", "--env", "smoke", "--verbose", *ARGUMENTS, "training.epochs=5")
    run.wait_for(stop)
    run.send(number)
    killed = run.wait()
    assert killed.status == status, killed.log
    if number != signal.SIGKILL:
        assert killed.last_line.startswith("Interrupted. cnn: ")
        assert "run the same command with --params training.resume=true" in killed.last_line
        assert "Traceback" not in killed.log
    resumed = running.make(*ARGUMENTS, "training.epochs=5,training.resume=true")
    assert "resuming after epoch" in resumed
    assert histories(running) == whole
    assert not list(running.data.rglob("epoch_*"))
