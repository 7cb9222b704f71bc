"""``kedro server``: two runs at once, with different networks."""

import json
import socket
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.paths import PATIENCE
from tests.support.processes import background

pytest.importorskip("fastapi")  # of kedro[server]
pytestmark = pytest.mark.slow


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def server(smoke, tmp_path):
    """Run pipelines through a server; it is started once."""
    project, port = smoke.copy(tmp_path / "project"), free_port()
    command = ("-m", "kedro", "server", "start", "--env", "smoke", "--port", str(port))

    def run(*models):
        training = {"models": models, "epochs": 1}
        asked = {"pipeline_names": ["training"], "params": {"training": training}}
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/run",
            json.dumps(asked).encode(),
            {"Content-Type": "application/json"},
        )
        return json.loads(urllib.request.urlopen(request, timeout=PATIENCE).read())

    with background(*command, folder=project.folder) as program:
        program.wait_for("Uvicorn running on")
        yield run, program


def test_a_second_run_is_refused_and_disturbs_nothing(server):
    run, program = server
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(run, "dense")
        program.wait_for("Kedro project")
        second = pool.submit(run, "lenet5")
        outcomes = [first.result(), second.result()]
    refused = [outcome for outcome in outcomes if outcome["status"] != "success"]
    assert len(refused) == 1
    assert "another run is in progress in this process" in json.dumps(refused)
    assert run("lenet5")["status"] == "success"
    trained = [line for line in program.lines if "epoch 1 of 1" in line]
    assert "lenet5: " in trained[-1]
    assert len(trained) == 2
