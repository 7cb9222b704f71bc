from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_kedro.metrics.classification import (
    class_metrics,
    classify_errors,
    confusion_matrix,
    wilson_interval,
)

digits = st.integers(0, 9)


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [
        (9950, 10_000, 0.99341, 0.99621),
        (9970, 10_000, 0.99572, 0.99790),
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8
        (0, 20, 0.0, 0.1611),
    ],
)
def test_wilson_interval_agrees_with_published_ones(right, of, low, high):
    assert wilson_interval(right, of) == pytest.approx((low, high), abs=5e-5)


@given(st.lists(st.tuples(digits, digits), min_size=1, max_size=50))
def test_counts_every_digit_once(pairs):
    labels, predictions = np.array(pairs).T
    matrix = confusion_matrix(labels.astype(np.uint8), predictions)
    assert matrix.shape == (10, 10)
    for true, predicted in pairs:
        assert matrix[true, predicted] == pairs.count((true, predicted))
    result = classify_errors(labels, predictions)
    assert result["errors"] == sum(true != predicted for true, predicted in pairs)
    assert result["accuracy"] == pytest.approx(np.trace(matrix) / len(pairs))
    wrong = Counter(pair for pair in pairs if pair[0] != pair[1])
    top = {(c["label"], c["prediction"]): c["count"] for c in result["top_confusions"]}
    assert top.items() <= wrong.items()
    assert sorted(top.values(), reverse=True) == sorted(wrong.values(), reverse=True)[:10]
    assert list(top.values()) == sorted(top.values(), reverse=True)
    low, high = result["accuracy_ci95"]
    assert low <= result["accuracy"] <= high
    assert sum(of_class["support"] for of_class in result["classes"].values()) == len(pairs)


def test_precision_recall_and_f1_of_a_class():
    labels = np.array([3] * 8 + [5] * 4)
    predictions = np.array([3] * 6 + [5] * 2 + [5] * 3 + [3])
    classes = class_metrics(confusion_matrix(labels, predictions))
    assert classes["3"] == pytest.approx(
        {"precision": 6 / 7, "recall": 6 / 8, "f1": 2 * 6 / (7 + 8), "support": 8}
    )
    assert classes["5"]["precision"] == pytest.approx(3 / 5)
    assert classes["0"] == {"precision": 0, "recall": 0, "f1": 0, "support": 0}
