"""Teach a network from corrections: it learns them, forgets nothing else, and has to show both."""

import numpy as np
import pytest

from mnist_kedro.corrections import NO_DIGIT
from mnist_kedro.datasets import PromotedModel
from mnist_kedro.errors import InputError
from mnist_kedro.lineage import digest_weights, record_training
from mnist_kedro.metrics.picture_calibration import choose_digit_threshold, tune_digit_threshold
from mnist_kedro.metrics.prediction import probabilities_of
from mnist_kedro.parameters import PromotionParameters, TeachingParameters
from mnist_kedro.pictures.detector import score_digits
from mnist_kedro.pipelines.export.nodes import export_to_onnx, predict_reference
from mnist_kedro.pipelines.teaching import create_pipeline
from mnist_kedro.pipelines.teaching import promotion as gate
from mnist_kedro.pipelines.teaching.nodes import (
    calibrate_taught_network,
    cross_validate,
    draw_neat_digits,
    measure_test_accuracy,
    redraw_digits,
    snapshot_corrections,
    teach_network,
    to_pictures,
)
from mnist_kedro.pipelines.teaching.promotion import decide_promotion_of_taught
from mnist_kedro.plots.teaching import plot_taught_digits
from tests.support.networks import RUN
from tests.support.parameters import CALIBRATION, REPORTING, SMOKE, augmentation, training
from tests.support.reporting import history_of

TEACHING = SMOKE.teaching.model_copy(
    update={"steps": 80, "training_digits": 112, "strengths": (1.0,), "folds": 3}
)
TRAINING = training(augmentation=augmentation(rotation=5, shift=1))
GATE = PromotionParameters(enabled=True, force=None)
NEAT = draw_neat_digits(TEACHING)


@pytest.fixture(scope="module")
def served(trained, digits):
    """The network that is served, with its training record."""
    history = {**history_of(digits), "seed": 0, "epochs": 15}
    parameters = {"training": TRAINING.model_dump(mode="json"), "network": {}}
    lineage = {k: v for k, v in history["lineage"].items() if k != "cnn"}
    trained.training_record = record_training(trained, "cnn", history, lineage, parameters, RUN)
    return trained


@pytest.fixture(scope="module")
def promoted(served, digits):
    reference = predict_reference(served, digits, digits, CALIBRATION, REPORTING)
    file, description = export_to_onnx(served, digits, reference)
    return PromotedModel({"model": "cnn", "version": "V"}, description, file)


def corrections_of(images, labels):
    names = [f"{number:032x}".encode() for number in range(len(labels))]
    return {
        "images": images,
        "labels": np.asarray(labels, np.uint8),
        "answers": np.zeros(len(labels), np.uint8),
        "identifiers": np.array(names, "S32"),
    }


@pytest.fixture(scope="module")
def mirrored(digits):
    """The threes of someone who writes them as if in a mirror."""
    images = np.asarray(digits["images"])[np.asarray(digits["labels"]) == 3][:40]
    corrections = corrections_of(images[:, :, ::-1], [3] * 40)
    return snapshot_corrections(corrections, TEACHING)


def teach(served, corrections, digits, teaching=TEACHING):
    return teach_network(
        served, corrections, digits, digits, digits, NEAT, teaching, TRAINING, RUN, name="cnn"
    )


@pytest.fixture(scope="module")
def taught(served, mirrored, digits):
    return teach(served, mirrored, digits)


def accuracy(network, images, labels):
    return np.mean(probabilities_of(network, images).argmax(axis=1) == labels)


def held_out_of(served, corrections, digits, history):
    scores = score_digits(digits["images"])
    return cross_validate(served, corrections, digits, scores, history, TEACHING, TRAINING)


@pytest.fixture(scope="module")
def held_out(served, mirrored, digits, taught):
    return held_out_of(served, mirrored, digits, taught[1])


def test_it_learns_what_it_is_taught_and_forgets_nothing(served, taught, mirrored, digits):
    model, history = taught
    images, labels = mirrored["images"], mirrored["labels"]
    assert accuracy(served, images, labels) < 0.5
    assert accuracy(model, images, labels) > 0.9
    before = accuracy(served, digits["images"], digits["labels"])
    assert accuracy(model, digits["images"], digits["labels"]) >= before - 0.01
    assert history["strength"] == 1
    assert history["validation_accuracy"] == [accuracy(model, digits["images"], digits["labels"])]


def test_the_record_names_the_parent_and_the_corrections(served, taught, mirrored):
    model, history = taught
    record = model.training_record
    assert record["taught"]["parent"]["sha256_weights"] == digest_weights(served)
    assert record["taught"]["corrections"]["digest"] == mirrored["corrections"]
    assert record["taught"]["corrections"]["digits"] == 40
    assert record["sha256_weights"] == digest_weights(model) != digest_weights(served)
    assert record["lineage"] == {
        **served.training_record["lineage"],
        "cnn": digest_weights(model)[:12],
    }
    assert history["lineage"] == record["lineage"]


def test_the_same_corrections_teach_the_same_network(served, taught, mirrored, digits):
    again, _ = teach(served, mirrored, digits)
    assert digest_weights(again) == digest_weights(taught[0])


def test_batch_normalization_keeps_its_statistics(served, taught):
    kept = [w for w in served.weights if "moving" in w.path]
    now = [w for w in taught[0].weights if "moving" in w.path]
    assert len(kept) > 2
    for one, other in zip(kept, now, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_it_is_taught_more_carefully_if_others_would_be_read_worse(served, digits, caplog):
    """All digits are to be called 0, with less and less weight."""
    images = np.asarray(digits["images"])[:40]
    wrong = snapshot_corrections(corrections_of(images, [0] * 40), TEACHING)
    teaching = TEACHING.model_copy(update={"strengths": (100.0, 0.001), "steps": 20})
    with caplog.at_level("INFO"):
        _, history = teach(served, wrong, digits, teaching)
    assert history["strength"] == 0.001
    assert "Taught with strength 100: accuracy on validation digits -" in caplog.text


def test_the_gain_is_measured_on_digits_that_were_not_taught(held_out, mirrored):
    assert held_out["count"] == 40
    assert held_out["right_before"] < 20
    assert held_out["right_after"] > 30
    assert held_out["p"] < 1e-3
    read = [digit["after"] == digit["label"] for digit in held_out["digits"]]
    assert sum(read) == held_out["right_after"]
    names = [digit["identifier"].encode() for digit in held_out["digits"]]
    assert names == mirrored["identifiers"].tolist()


def test_labels_without_sense_gain_nothing(served, digits, taught):
    rng = np.random.default_rng(1)
    images = np.asarray(digits["images"])[rng.permutation(800)[:60]]
    senseless = snapshot_corrections(corrections_of(images, rng.integers(0, 10, 60)), TEACHING)
    result = held_out_of(served, senseless, digits, taught[1])
    assert result["p"] > 0.05


def test_too_few_corrections_are_refused(mirrored):
    few = corrections_of(mirrored["images"][:9], [3] * 9)
    with pytest.raises(InputError, match=r"corrections: found 9, but teaching needs at least 10"):
        snapshot_corrections(few, TEACHING)


def test_only_the_network_that_is_served_can_be_taught(served, mirrored, digits):
    with pytest.raises(
        InputError, match=r"served network is 'cnn'.* teaches 'dense'.*training.models=\[cnn\]"
    ):
        teach_network(
            served, mirrored, digits, digits, digits, NEAT, TEACHING, TRAINING, RUN, name="dense"
        )


def test_no_digit_moves_the_detectors_threshold_alone(served, digits):
    images = np.asarray(digits["images"])[:15]
    corrections = snapshot_corrections(corrections_of(images, [NO_DIGIT] * 15), TEACHING)
    model, history = teach(served, corrections, digits)
    assert digest_weights(model) == digest_weights(served)
    scores = score_digits(digits["images"])
    plain = choose_digit_threshold(scores)
    tuned = calibrate_taught_network(model, digits, scores, corrections)["digit_threshold"]
    assert tuned > plain
    assert np.mean(scores < tuned) <= 0.015  # however many are called no digit
    result = held_out_of(served, corrections, digits, history)
    assert result["right_after"] >= result["right_before"]


def test_a_threshold_agrees_with_corrections():
    validation = np.linspace(0.001, 1, 1000)
    say = np.array([0.02, 0.009, 0.03]), np.array([True, False, True])
    assert tune_digit_threshold(0.007, validation, np.empty(0), np.empty(0, bool)) == 0.007
    assert 0.009 < tune_digit_threshold(0.007, validation, *say) < 0.0145
    digit = np.array([0.003]), np.array([True])  # was called no digit
    assert tune_digit_threshold(0.007, validation, *digit) == 0.003


def decide(served, taught, promoted, digits, held_out, **changes):
    model, _ = taught
    reference = predict_reference(model, digits, digits, CALIBRATION, REPORTING)
    file, description = export_to_onnx(model, digits, reference)
    return decide_promotion_of_taught(
        reference,
        digits,
        {**description, **changes.pop("description", {})},
        promoted,
        changes.pop("parameters", GATE),
        RUN,
        file,
        digits,
        NEAT,
        {**held_out, **changes},
        measure_test_accuracy(served, digits),
    )


def test_it_is_promoted_if_it_learned_and_forgot_nothing(
    served, taught, promoted, digits, held_out, monkeypatch
):
    monkeypatch.setattr("mnist_kedro.pipelines.export.promotion.MAX_LOSS", 0.02)
    monkeypatch.setattr("mnist_kedro.pipelines.export.promotion._MAX_LOSS_BOUND", 0.05)
    monkeypatch.setattr(gate, "_MAX_TEST_LOSS", 0.02)
    monkeypatch.setattr(gate, "MAX_REDRAWN_LOSS", 0.02)
    monkeypatch.setattr(gate, "MAX_NEAT_LOSS", 0.3)
    decision = decide(served, taught, promoted, digits, held_out)
    assert decision["promoted"]
    assert decision["by"] == "teaching"
    assert decision["teaching"]["held_out"]["right_after"] == held_out["right_after"]
    for change, reason in (
        ({"p": 0.2}, r"may be chance \(p = 0.2"),
        ({"description": {"accuracy": 0.5}}, r"points of accuracy on the test digits"),
    ):
        refused = decide(served, taught, promoted, digits, held_out, **change)
        assert not refused["promoted"]
        assert reason.replace("\\", "") in refused["reason"]
    for limit, told in (("MAX_REDRAWN_LOSS", "redrawn"), ("MAX_NEAT_LOSS", "neatly drawn")):
        monkeypatch.setattr(gate, limit, -1)
        refused = decide(served, taught, promoted, digits, held_out)
        assert told in refused["reason"]
        assert "contradict how most people write" in refused["reason"]
    forced = PromotionParameters(enabled=True, force="I know better")
    assert decide(served, taught, promoted, digits, held_out, parameters=forced)["promoted"]


def test_what_got_worse_is_shown(digits):
    labels = np.asarray(digits["labels"])
    before, after = labels.copy(), labels.copy()
    after[[5, 7]] = (labels[[5, 7]] + 1) % 10
    before[7] = after[7]  # it was wrong before
    (worse,) = gate._describe_worse(digits, before, after)
    assert worse["row"] == 5
    assert worse["after"] == (worse["label"] + 1) % 10


def test_redrawn_digits_can_still_be_read(served, digits):
    redrawn = redraw_digits(digits, TEACHING.model_copy(update={"redrawn_digits": 100}))
    assert redrawn["images"].shape == (100, 28, 28, 1)
    assert accuracy(served, redrawn["images"], redrawn["labels"]) > 0.8
    assert not np.array_equal(redrawn["images"][:5], np.asarray(digits["images"])[:5])


def test_neat_digits_show_what_they_should(trained):
    right = probabilities_of(trained, NEAT["images"]).argmax(axis=1) == NEAT["labels"]
    assert right.mean() > 0.6  # of a small network that knows 800 digits


def test_the_class_that_loses_most_is_found():
    labels = np.array([1, 1, 4, 4, 4, 4])
    before, after = np.array([1, 1, 1, 1, 1, 0]) > 0, np.array([1, 1, 0, 0, 1, 1]) > 0
    assert gate.worst_class(labels, before, after) == (4, 0.25)


def test_pictures_are_in_folders_of_their_digits(digits):
    corrections = corrections_of(np.asarray(digits["images"])[:3], [4, NO_DIGIT, 9])
    pictures = to_pictures(corrections)
    assert sorted(pictures) == [f"4/{0:032x}", f"9/{2:032x}"]
    np.testing.assert_array_equal(
        np.asarray(pictures[f"9/{2:032x}"]), corrections["images"][2, ..., 0]
    )


def test_the_figure_counts_what_is_right(held_out, mirrored):
    figure = plot_taught_digits(held_out, mirrored)
    title = figure.texts[0].get_text()
    counted = f"After fine-tuning, {held_out['right_after']} of 40 corrections are classified"
    assert counted in " ".join(title.split())


def test_the_pipeline_teaches_the_first_model():
    pipeline = create_pipeline(["lenet5", "cnn"])
    assert {"lenet5.model", "lenet5.onnx", "promotion"} < pipeline.all_outputs()
    assert {"promoted_network", "corrections", "train"} < pipeline.inputs()
    assert isinstance(SMOKE.teaching, TeachingParameters)


@pytest.mark.parametrize(
    ("before", "after", "rejected"), [(0.9953, 0.9943, False), (0.9953, 0.9942, True)]
)
def test_a_loss_may_equal_its_limit(before, after, rejected):
    held_out = {"p": 0.01, "right_before": 1, "right_after": 9, "count": 9}
    reasons = gate._rejection_reasons(held_out, 0.905 - 0.9, (4, 0.95 - 0.9), before - after)
    assert bool(reasons) == rejected
