import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from scipy.stats import multinomial

from mnist_kedro.metrics.calibration import (
    brier_score,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    reliability,
    scale_temperature,
    score_probabilities,
)
from mnist_kedro.metrics.reliability import reliability_of_equal_counts


def drawn(count, seed=0, sharpness=3.0):
    """Probabilities, and labels that occur as often as these say."""
    rng = np.random.default_rng(seed)
    probabilities = softmax(sharpness * rng.normal(size=(count, 10)), axis=1)
    labels = (probabilities.cumsum(axis=1) > rng.random((count, 1))).argmax(axis=1)
    return labels.astype(np.uint8), probabilities


def certain(*confidences_and_hits):
    """A digit 0 each, read with a confidence as 0 or, where missed, as 1."""
    rows = []
    for confidence, hit in confidences_and_hits:
        row = np.full(10, (1 - confidence) / 9)
        row[0 if hit else 1] = confidence
        rows.append(row)
    return np.zeros(len(rows), np.uint8), np.array(rows)


def test_the_likelihood_is_the_multinomial_one():
    labels, probabilities = drawn(200)
    expected = -np.mean(
        [
            multinomial(1, row).logpmf(np.eye(10)[label])
            for row, label in zip(probabilities, labels, strict=True)
        ]
    )
    assert negative_log_likelihood(labels, probabilities) == pytest.approx(expected)


def test_a_probability_of_zero_is_a_large_loss_and_no_infinity():
    loss = negative_log_likelihood(np.array([1]), np.eye(10, dtype=np.float32)[[0]])
    assert 80 < loss < 90


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ([1, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0.0),
        ([0, 1, 0, 0, 0, 0, 0, 0, 0, 0], 2.0),
        ([0.7, 0.3, 0, 0, 0, 0, 0, 0, 0, 0], 0.3**2 + 0.3**2),
        ([0.1] * 10, 0.9**2 + 9 * 0.1**2),
    ],
)
def test_brier_score_of_a_zero(row, expected):
    assert brier_score(np.array([0]), np.array([row])) == pytest.approx(expected)


def test_calibration_error_by_hand():
    digits = [(0.9, True)] * 3 + [(0.9, False)] + [(0.5, True), (0.5, False)]
    assert expected_calibration_error(*certain(*digits)) == pytest.approx(4 * 0.15 / 6)


@given(st.lists(st.tuples(st.floats(0.11, 1.0), st.booleans()), min_size=1, max_size=120))
@pytest.mark.parametrize("divide", [reliability, reliability_of_equal_counts])
def test_every_digit_is_in_one_bin(divide, digits):
    labels, probabilities = certain(*digits)
    bins = divide(labels, probabilities)
    assert bins.digits.sum() == len(digits)
    assert (bins.digits > 0).all()
    assert np.average(bins.accuracy, weights=bins.digits) == pytest.approx(
        np.mean([hit for _, hit in digits])
    )
    assert np.average(bins.confidence, weights=bins.digits) == pytest.approx(
        np.mean([confidence for confidence, _ in digits])
    )


@pytest.mark.parametrize(
    ("unsure", "sure", "counts"),
    [
        (0, 30, [30]),
        (10, 30, [10, 30]),
        (49, 0, [49]),
        (50, 1, [25, 25, 1]),
        (1000, 9000, [125] * 8 + [9000]),
    ],
)
def test_bins_of_equal_counts_hold_at_least_25_unsure_digits(unsure, sure, counts):
    confidences = [*np.linspace(0.3, 0.98, unsure), *np.full(sure, 0.995)]
    bins = reliability_of_equal_counts(*certain(*((value, True) for value in confidences)))
    assert bins.digits.tolist() == counts
    assert (np.diff(bins.confidence) > 0).all()


def test_true_probabilities_are_calibrated():
    assert expected_calibration_error(*drawn(20_000)) < 0.01


@pytest.mark.parametrize("factor", [0.5, 0.9, 3.0])
def test_finds_the_temperature_that_makes_probabilities_true(factor):
    labels, probabilities = drawn(20_000)
    distorted = scale_temperature(probabilities, 1 / factor)
    temperature = fit_temperature(labels, distorted)
    assert temperature == pytest.approx(factor, rel=0.03)
    restored = scale_temperature(distorted, temperature)
    assert restored == pytest.approx(probabilities, abs=0.02)
    assert expected_calibration_error(labels, restored) < 0.01


def test_scores_are_those_of_all_digits():
    labels, probabilities = drawn(25_000)
    scores = score_probabilities(labels, probabilities.astype(np.float32))
    true = probabilities[np.arange(25_000), labels]
    assert scores["negative_log_likelihood"] == pytest.approx(-np.log(true).mean(), rel=1e-6)
    distances = ((probabilities - np.eye(10)[labels]) ** 2).sum(axis=1)
    assert scores["brier_score"] == pytest.approx(distances.mean(), rel=1e-6)
    confidence, hit = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bins = (confidence * 15).astype(int)
    off = sum(abs((hit - confidence)[bins == i].sum()) for i in range(15)) / 25_000
    assert scores["expected_calibration_error"] == pytest.approx(off, abs=1e-5)


def test_scaling_changes_no_prediction_and_keeps_probabilities():
    _, probabilities = drawn(100)
    for temperature in (0.1, 1.0, 10.0):
        scaled = scale_temperature(probabilities, temperature)
        assert scaled.sum(axis=1) == pytest.approx(1)
        assert (scaled.argmax(axis=1) == probabilities.argmax(axis=1)).all()
    assert scale_temperature(probabilities, 1.0) == pytest.approx(probabilities)


@pytest.mark.parametrize("seed", range(10))
def test_a_temperature_that_improves_nothing_is_not_applied(seed):
    assert fit_temperature(*drawn(1000, seed)) == pytest.approx(1.0, abs=0.1)


def test_most_true_probabilities_get_no_temperature():
    kept = [fit_temperature(*drawn(1000, seed)) == 1.0 for seed in range(100)]
    assert np.mean(kept) > 0.9


@pytest.mark.parametrize("count", [2, 100, 5000])
def test_a_network_without_a_mistake_does_not_become_certain(count):
    labels, probabilities = certain(*[(0.9, True)] * count)
    temperature = fit_temperature(labels, probabilities)
    assert 0.3 < temperature < 1.0
    assert scale_temperature(probabilities, temperature).max() < 1 - 1e-6


@pytest.mark.parametrize("count", [0, 1])
def test_a_single_digit_gives_no_temperature(count):
    labels, probabilities = certain((0.5, False))
    assert fit_temperature(labels[:count], probabilities[:count]) == 1.0
