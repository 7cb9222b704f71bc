"""A model replaces the one that is served only if it is not worse on the same validation digits."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_kedro.datasets import PromotedModel, PromotedModelDataset
from mnist_kedro.lineage import lineage_of
from mnist_kedro.metrics.comparison import bootstrap_difference
from mnist_kedro.parameters import PromotionParameters
from mnist_kedro.pipelines.export import promotion as gate
from mnist_kedro.pipelines.export.promotion import decide_promotion
from mnist_kedro.promotion import Promotion, read_history, read_promoted, save_decision
from tests.support.networks import RUN
from tests.support.reporting import history_of

GATE = PromotionParameters(enabled=True, force=None)
N = 5000


@pytest.fixture
def validation(digits):
    labels = np.resize(digits["labels"], N)
    images = np.zeros((N, 28, 28, 1), np.uint8)
    return {**digits, "images": images, "labels": labels, "split": "a"}


def described(validation, weights="1" * 64):
    history = history_of(validation, weights=weights)
    return {"lineage": history["lineage"], "training_record": history["training_record"]}


def decide(
    monkeypatch, validation, new, served=None, parameters=GATE, taught=False, **served_description
):
    """Decide about a model that is right in the first so many digits, and one that is served."""
    rows = np.arange(N)
    description = described(validation, "2" * 64)
    if taught:
        description["training_record"]["taught"] = {}
    reference = {"model": "cnn", **description, "correct": rows < new}
    promoted = None
    if served is not None:
        labels = validation["labels"]
        read = np.where(served(rows), labels, (labels + 1) % 10)
        monkeypatch.setattr(gate, "classify_with_onnx", lambda file, images: read)
        of = {**described(validation), **served_description}
        promoted = PromotedModel({"model": "cnn", "version": "V"}, of, b"")
    return decide_promotion(reference, validation, description, promoted, parameters, RUN)


@pytest.mark.parametrize(("right", "promoted"), [(4500, True), (4499, False)])
def test_the_first_model_needs_ninety_percent(monkeypatch, validation, right, promoted):
    decision = decide(monkeypatch, validation, right)
    assert decision["promoted"] is promoted
    assert decision["served"] is None
    assert decision["validation_accuracy"] == right / N


@pytest.mark.parametrize(
    ("loss", "promoted"), [(-50, True), (0, True), (5, True), (6, False), (100, False)]
)
def test_a_model_may_lose_a_tenth_of_a_point(monkeypatch, validation, loss, promoted):
    decision = decide(monkeypatch, validation, 4900 - loss, lambda rows: rows < 4900)
    assert decision["promoted"] is promoted
    assert decision["comparison"]["loss"] == loss / N
    assert decision["served"] == {"model": "cnn", "version": "V"}
    assert f"loses {100 * loss / N:.2f} percentage points" in decision["reason"]
    assert decision["reason"].endswith("; it was trained with --env quick")


def test_a_model_whose_loss_may_be_large_is_not_promoted(monkeypatch, validation):
    """Both are right equally often, but on other digits: the loss is uncertain."""
    decision = decide(monkeypatch, validation, 4500, lambda rows: rows >= 500)
    assert decision["comparison"]["loss"] == 0
    assert decision["comparison"]["loss_upper_bound"] > 0.003
    assert not decision["promoted"]


def test_an_export_does_not_promote_what_a_teaching_refused(monkeypatch, validation):
    decision = decide(monkeypatch, validation, N, lambda rows: rows < 4900, taught=True)
    assert not decision["promoted"]
    assert "it was taught from corrections" in decision["reason"]


def test_models_that_were_trained_on_other_digits_are_not_compared(monkeypatch, validation):
    served = {"lineage": {**lineage_of(validation), "split": "other"}}
    decision = decide(monkeypatch, validation, N, lambda rows: rows < 0, **served)
    assert not decision["promoted"]
    assert "trained on other digits" in decision["reason"]
    unknown = decide(monkeypatch, validation, N, lambda rows: rows < 0, lineage={})
    assert not unknown["promoted"]


def test_the_same_model_is_promoted_again(monkeypatch, validation):
    same = described(validation, "2" * 64)
    assert decide(monkeypatch, validation, 0, lambda rows: rows < N, **same)["promoted"]


def test_a_person_may_force_it_and_say_why(monkeypatch, validation):
    forced = PromotionParameters(enabled=True, force="a demonstration")
    decision = decide(monkeypatch, validation, 10, parameters=forced)
    assert decision["promoted"]
    assert decision["reason"].startswith("forced (a demonstration), although the first model")


def test_a_try_out_never_replaces_what_is_served(monkeypatch, validation):
    for force in (None, "by accident"):
        off = PromotionParameters(enabled=False, force=force)
        decision = decide(monkeypatch, validation, N, parameters=off)
        assert not decision["promoted"]
        assert decision["reason"] == "promotion.enabled is false"


@given(st.integers(0, 40), st.integers(0, 40))
def test_the_bound_is_never_below_the_loss(only_served, only_new):
    (bound,) = bootstrap_difference(only_served, only_new, 1000, [95])
    assert bound >= (only_served - only_new) / 1000 - 1e-12
    if only_served == only_new == 0:
        assert bound == 0


def decision(version, by="promote", promoted=True):
    return Promotion(
        model="cnn", version=version, promoted=promoted, by=by, reason="", trained=None
    )


def test_decisions_are_kept_and_the_latest_promotion_is_valid(tmp_path):
    dataset = PromotedModelDataset(filepath=str(tmp_path))
    assert dataset.decision() is None
    for version in ("a", "b"):
        save_decision(tmp_path, decision(version))
    save_decision(tmp_path, decision("c", promoted=False))
    assert [one["version"] for one in read_promoted(tmp_path)] == ["b", "a"]
    assert dataset.decision()["version"] == "b"
    assert dataset.load() is None  # its files are gone
    latest = max((tmp_path / "promotion.json").iterdir()) / "promotion.json"
    latest.write_text('{"half of')
    assert [one["version"] for one in read_promoted(tmp_path)] == ["b", "a"]


@pytest.mark.parametrize(
    ("moves", "history"),
    [("ab", "ab"), ("abc-", "ab"), ("abc--", "a"), ("abc-d-", "ab"), ("aab-", "a"), ("ab-b", "ab")],
)
def test_a_rollback_goes_back_one_promotion(tmp_path, moves, history):
    for move in moves:
        if move == "-":
            before = read_history(tmp_path)[-2][1]
            save_decision(tmp_path, decision(before, by="rollback"))
        else:
            save_decision(tmp_path, decision(move))
    assert [version for _, version in read_history(tmp_path)] == list(history)


@pytest.mark.slow
def test_exports_are_promoted_and_pictures_read_with_what_is_served(finished, tmp_path):
    """Through Kedro: a first model, a worse one, and inference with the first."""
    first = finished.versions("06_models/cnn.keras")[-1]
    only_cnn = "training.models=[cnn]"
    log = finished.make("--pipelines", "export", "--params", only_cnn)
    assert "kept as a candidate: promotion.enabled is false" in log
    log = finished.make("--pipelines", "export", "--params", f"{only_cnn},promotion.enabled=true")
    assert "is promoted: the first model" in log
    finished.make("--pipelines", "training", "--params", f"{only_cnn},training.epochs=1")
    log = finished.make("--pipelines", "export", "--params", f"{only_cnn},promotion.enabled=true")
    assert "is kept as a candidate: on 333 validation digits it loses" in log
    decided = [
        json.loads((path / "promotion.json").read_text())["promoted"]
        for path in sorted((finished.data / "06_models/promotion.json").iterdir())
    ]
    assert decided == [False, True, False]
    pictures = f"inference.images={finished.latest('01_raw/mnist.hdf5')}"
    log = finished.make("--pipelines", "inference", "--params", pictures)
    assert f"Model cnn, version {first}: validation accuracy" in log
    summary = finished.latest_json("08_reporting/digit_summary.json")
    assert summary["model"]["version"] == first
    latest = finished.versions("06_models/cnn.keras")[-1]
    options = ("--pipelines", "inference", "--load-versions", f"cnn.model:{latest}")
    finished.make(*options, "--params", pictures)
    summary = finished.latest_json("08_reporting/digit_summary.json")
    assert summary["model"]["version"] == latest != first
