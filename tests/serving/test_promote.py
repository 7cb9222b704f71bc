"""The commands that choose which model is served, and the server that follows."""

import json
import subprocess
import sys

import pytest

from mnist_kedro.promotion import Promotion, save_decision
from mnist_kedro.serving.model import ModelStore
from tests.support.paths import ROOT
from tests.support.project import environment
from tests.support.server import FIRST, serving

SECOND, THIRD = "2026-02-01T00.00.00.000Z", "2026-03-01T00.00.00.000Z"


def command(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "mnist_kedro.serving", *arguments, "--models", str(folder)],
        env=environment(ROOT),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_server_follows_promotions_and_rollbacks(export):
    for version in (FIRST, SECOND, THIRD):
        folder = export(version)
    assert command(folder, "promote", FIRST).returncode == 0
    with serving(ROOT, "--models", str(folder)) as server:
        assert server.ask("GET", "/api/model").body["version"] == FIRST
        assert "is promoted" in command(folder, "promote", THIRD).stdout
        server.program.wait_for(f"Serving model cnn {THIRD}")
        assert server.ask("GET", "/api/model").body["version"] == THIRD
        assert command(folder, "rollback").returncode == 0
        server.program.wait_for(f"Serving model cnn {FIRST}", 2)
        assert server.ask("GET", "/api/model").body["version"] == FIRST
    listed = command(folder, "models").stdout.splitlines()
    assert [line.split()[1] for line in listed] == [THIRD, SECOND, FIRST]
    assert [line.endswith("served") for line in listed] == [False, False, True]
    nothing = command(folder, "rollback")
    assert nothing.returncode == 1
    assert "there is no earlier promoted model" in nothing.stderr


def test_a_version_that_cannot_be_served_is_not_promoted(export):
    folder = export(FIRST)
    export(SECOND, b"damaged")
    for version, reason in ((SECOND, "corrupt"), (THIRD, f"there are: cnn {SECOND}, cnn {FIRST}")):
        outcome = command(folder, "promote", version)
        assert outcome.returncode == 1
        assert reason in outcome.stderr
    assert not (folder / "promotion.json").exists()
    assert command(folder, "promote").returncode == 2


def test_candidates_are_not_served(export):
    folder = export(FIRST)
    store = ModelStore(folder)
    store.refresh()
    assert store.current.version == FIRST  # nothing was decided: the files were copied here
    reason = "on 333 validation digits it loses 7 points"
    candidate = Promotion(model="cnn", version=FIRST, promoted=False, reason=reason, by="export")
    save_decision(folder, candidate)
    store = ModelStore(folder)
    store.refresh()
    assert store.current is None
    assert reason in store.unavailable_reason
    assert f"promote {FIRST}" in store.unavailable_reason
    named = ModelStore(folder, "cnn")
    named.refresh()
    assert named.current.version == FIRST


def test_a_damaged_promoted_model_leaves_the_earlier_one(export):
    folder = export(FIRST)
    export(SECOND, b"damaged")
    for version in (FIRST, SECOND):
        decision = Promotion(model="cnn", version=version, promoted=True, reason="", by="export")
        save_decision(folder, decision)
    store = ModelStore(folder)
    store.refresh()
    assert store.current.version == FIRST


@pytest.mark.parametrize(
    ("record", "count"),
    [
        (None, None),
        ({"run": {"id": "run"}, "data": {"source": "/home/x"}, "training_digits": 55_000}, 55_000),
    ],
)
def test_answers_have_only_the_number_of_digits_of_the_training_record(
    export, exported, record, count
):
    from mnist_kedro.serving.app import create_app
    from mnist_kedro.serving.metrics import Metrics

    folder = export(FIRST, description={**exported[1], "training_record": record})
    store = ModelStore(folder)
    store.refresh()
    answer = create_app(store, Metrics()).test_client().get("/api/model")
    assert "training_record" not in json.loads(answer.data)
    assert json.loads(answer.data).get("training_digits") == count
    assert "/home/x" not in answer.text
