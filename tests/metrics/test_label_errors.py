import numpy as np
import pytest

from mnist_kedro.metrics.label_errors import LABEL_ERRORS, classify_without_label_errors
from tests.support.paths import FULL_MNIST, needs_full_mnist


def test_leaves_out_the_wrong_labels_alone():
    labels = np.zeros(10_000, np.uint8)
    predictions = labels.copy()
    predictions[list(LABEL_ERRORS)] = 1
    result = classify_without_label_errors(labels, predictions)
    assert (result["errors"], result["accuracy"], result["excluded"]) == (0, 1.0, 15)
    predictions[[0, 9999]] = 1
    result = classify_without_label_errors(labels, predictions)
    assert result["errors"] == 2
    assert result["accuracy"] == pytest.approx(1 - 2 / 9985)
    low, high = result["accuracy_ci95"]
    assert low < result["accuracy"] < high


@needs_full_mnist
def test_they_are_the_published_rows_of_the_test_split():
    """As pictured on labelerrors.com: an 8 that is a 9, a 5 that is a 3."""
    from mnist_kedro.sources.read import read_mnist
    from tests.support.parameters import ingestion

    labels = read_mnist(ingestion(str(FULL_MNIST)))["y_test"]
    given = [8, 0, 9, 4, 2, 5, 6, 6, 5, 5, 0, 1, 4, 6, 5]
    assert labels[list(LABEL_ERRORS)].tolist() == given
