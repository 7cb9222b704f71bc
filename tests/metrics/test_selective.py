import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_kedro.metrics.selective import confidence_threshold, reject_unsure, risk_coverage

# Few confidences, so that some are equal.
answers = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.2, 0.5, 0.9, 0.99, 1.0])), min_size=1, max_size=40
)


def split(pairs):
    right, confidence = zip(*pairs, strict=True)
    return np.array(right), np.array(confidence)


@given(answers)
def test_the_curve_is_what_each_threshold_gives(pairs):
    right, confidence = split(pairs)
    curve = risk_coverage(right, confidence)
    assert list(curve.threshold) == sorted(set(confidence), reverse=True)
    for threshold, coverage, risk in zip(*curve, strict=True):
        read = confidence >= threshold
        assert coverage == pytest.approx(read.mean())
        assert risk == pytest.approx((~right[read]).mean())
    assert curve.coverage[-1] == 1


@given(answers, st.floats(0, 1))
def test_the_threshold_is_the_least_that_is_accurate_enough(pairs, accuracy):
    right, confidence = split(pairs)
    threshold = confidence_threshold(right, confidence, accuracy)
    rejection = reject_unsure(right, confidence, threshold, accuracy)
    if rejection["accuracy"] is None:
        assert threshold > 1
    else:
        assert rejection["accuracy"] >= accuracy - 1e-12
    lower = [other for other in set(confidence) if other < threshold]
    for other in lower:
        assert right[confidence >= other].mean() < accuracy + 1e-12


def test_rejecting_the_unsure_leaves_fewer_errors():
    right = np.array([True] * 7 + [False, True, False])
    confidence = np.array([1.0] * 7 + [0.6, 0.5, 0.4])
    assert reject_unsure(right, confidence, 0.6, 0.8) == {
        "target_accuracy": 0.8,
        "threshold": 0.6,
        "coverage": 0.8,
        "accuracy": 7 / 8,
        "errors": 1,
    }


def test_where_nothing_is_accurate_enough_nothing_is_read():
    right, confidence = np.array([False, True]), np.array([1.0, 0.9])
    threshold = confidence_threshold(right, confidence, 0.99)
    rejection = reject_unsure(right, confidence, threshold, 0.99)
    assert (rejection["coverage"], rejection["accuracy"], rejection["errors"]) == (0, None, 0)
