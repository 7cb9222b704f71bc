"""What is said about predictions of pictures holds on others like them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_kedro.metrics.calibration import scale_temperature
from mnist_kedro.metrics.picture_calibration import (
    COVERAGE,
    calibrate,
    measure_calibration,
)
from tests.support.parameters import CALIBRATION


def overconfident(count, random, spread=2):
    """Return labels, and probabilities whose logits are twice too large."""
    logits = random.normal(0, spread, (count, 10))
    calibrated = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([random.choice(10, p=row) for row in calibrated])
    return labels, scale_temperature(calibrated, 0.5)


def test_candidates_have_the_right_digit_as_often_as_promised():
    """In the mean of 40 calibrations, each on 400 digits, on digits like those."""
    random = np.random.default_rng(0)
    covered = []
    for _ in range(40):
        calibration = measure_calibration(random.random(50), *overconfident(400, random))
        labels, probabilities = overconfident(1000, random)
        calibrated = calibrate(probabilities, np.ones(1000), np.zeros(1000, bool), calibration)
        listed = zip(labels, calibrated.candidates, strict=True)
        covered.append(np.mean([label in candidates for label, candidates in listed]))
    assert np.mean(covered) == pytest.approx(COVERAGE, abs=0.01)


def test_overconfidence_is_measured_and_mended():
    labels, probabilities = overconfident(4000, np.random.default_rng(1))
    calibration = measure_calibration(np.ones(10), labels, probabilities)
    assert calibration["temperature"] == pytest.approx(2, rel=0.1)
    calibrated = calibrate(probabilities, np.ones(4000), np.zeros(4000, bool), calibration)
    right = np.mean(calibrated.digits == labels)
    assert calibrated.probabilities.max(axis=1).mean() == pytest.approx(right, abs=0.02)


def test_sure_predictions_of_photographed_digits_are_right():
    random = np.random.default_rng(4)
    calibration = measure_calibration(np.ones(10), *overconfident(4000, random, spread=6))
    labels, probabilities = overconfident(4000, random, spread=6)
    calibrated = calibrate(probabilities, np.ones(4000), np.zeros(4000, bool), calibration)
    confidence = calibrated.probabilities.max(axis=1)
    sure = confidence >= calibration["confidence_threshold"]
    assert 0.1 < sure.mean() < 0.9
    assert np.mean((calibrated.digits == labels)[sure]) > 0.98  # of all 82%


def test_the_threshold_flags_seven_of_a_thousand_digits():
    scores = np.random.default_rng(2).permutation(1000) / 1000
    calibration = measure_calibration(scores, *overconfident(20, np.random.default_rng(3)))
    assert (scores < calibration["digit_threshold"]).sum() in {6, 7}


@given(st.lists(st.floats(0, 50, width=32), min_size=10, max_size=10), st.booleans())
def test_there_is_always_a_candidate(logits, given):
    probabilities = np.exp(np.array(logits) - max(logits))[np.newaxis]
    probabilities /= probabilities.sum()
    calibrated = calibrate(probabilities, np.array([0.7]), np.array([given]), CALIBRATION)
    (candidates,), (row,) = calibrated.candidates, calibrated.probabilities
    assert candidates[0] == calibrated.digits[0] == probabilities[0].argmax()
    assert [row[i] for i in candidates] == sorted((row[i] for i in candidates), reverse=True)
    assert row.sum() == pytest.approx(1)
    assert calibrated.is_digit == [True]


def test_digits_of_mnists_form_keep_their_probabilities():
    _, probabilities = overconfident(50, np.random.default_rng(4))
    given = np.arange(50) % 2 == 0
    calibrated = calibrate(probabilities, np.full(50, 0.5), given, CALIBRATION)
    np.testing.assert_array_equal(calibrated.probabilities[given], probabilities[given])
    assert (calibrated.probabilities[~given].max(axis=1) < probabilities[~given].max(axis=1)).all()
    assert calibrated.is_digit == [False] * 50


def test_without_a_calibration_nothing_is_claimed():
    _, probabilities = overconfident(5, np.random.default_rng(5))
    calibrated = calibrate(probabilities, np.empty(0), np.zeros(5, bool), None)
    assert calibrated.is_digit == [None] * 5
    assert np.isnan(calibrated.digit_scores).all()
    assert calibrated.candidates == [[digit] for digit in calibrated.digits]
