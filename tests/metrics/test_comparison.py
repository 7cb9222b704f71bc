import numpy as np
import pytest
from scipy.stats import bootstrap

from mnist_kedro.metrics.comparison import compare


def right(*counts):
    """Two models' hits: so many digits that both, only the first, only the second, neither got."""
    first = np.repeat([True, True, False, False], counts)
    second = np.repeat([True, False, True, False], counts)
    return first, second


def test_counts_what_tells_the_models_apart():
    result = compare(*right(90, 6, 2, 2))
    assert result["only_first_right"] == 6
    assert result["only_second_right"] == 2
    assert result["accuracy_difference"] == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("first", "second", "p"),
    [(6, 2, 2 * 37 / 256), (10, 0, 2 / 1024), (5, 5, 1.0), (0, 1, 1.0)],
)
def test_mcnemar_is_the_two_sided_binomial_test(first, second, p):
    assert compare(*right(50, first, second, 3))["mcnemar_p"] == pytest.approx(p)


def test_models_that_agree_everywhere_are_not_told_apart():
    assert compare(*right(50, 0, 0, 3))["mcnemar_p"] == 1.0


@pytest.mark.parametrize("counts", [(9900, 60, 20, 20), (700, 20, 25, 5), (90, 6, 2, 2)])
def test_the_interval_is_that_of_scipys_paired_bootstrap(counts):
    first, second = right(*counts)
    reference = bootstrap(
        (first.astype(float), second.astype(float)),
        lambda a, b, axis: a.mean(axis) - b.mean(axis),
        paired=True,
        method="percentile",
        n_resamples=5000,
        batch=500,
        rng=np.random.default_rng(1),
    ).confidence_interval
    width = reference.high - reference.low
    interval = compare(first, second)["accuracy_difference_ci95"]
    assert interval == pytest.approx(tuple(reference), abs=0.06 * width)


def test_models_of_equal_answers_do_not_differ():
    assert compare(*right(90, 0, 0, 10))["accuracy_difference_ci95"] == (0, 0)
