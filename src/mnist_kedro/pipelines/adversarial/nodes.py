"""Nodes of the ``adversarial`` pipeline."""

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from mnist_kedro.contracts import LabeledImages, Pixels
from mnist_kedro.lineage import with_lineage
from mnist_kedro.metrics.prediction import probabilities_of, rows_of_all
from mnist_kedro.parameters import AdversarialParameters


@with_lineage
def attack_models(
    test: LabeledImages, adversarial: AdversarialParameters, **models: Any
) -> pd.DataFrame:
    """Count the test digits that each model misclassifies under attacks on that model.

    Args:
        test: the test split.
        adversarial: number of digits, and strength of the attacks.
        models: Keras models, by name.

    Returns:
        A row for each model, attack and epsilon: ``model``, ``attack`` (``fgsm``, ``pgd``),
        ``epsilon`` (largest change of a pixel, as a fraction of its range; 0: no attack),
        ``digits``, ``errors`` and ``accuracy``.
    """
    from mnist_kedro.models.attacks import (  # noqa: PLC0415  (imports TensorFlow)
        fast_gradient_sign,
        projected_gradient_descent,
    )

    rows = rows_of_all(test, adversarial.digits)
    images, labels = test["images"][rows], np.asarray(test["labels"])[rows]
    steps, seed = adversarial.pgd_steps, adversarial.seed
    attacks: dict[str, Callable[..., Pixels]] = {
        "fgsm": fast_gradient_sign,
        "pgd": partial(projected_gradient_descent, steps=steps, seed=seed),
    }
    combinations = [*product(models, attacks, (0, *adversarial.epsilons))]
    found = []
    for name, attack, epsilon in tqdm(combinations, "Attacks", leave=False, disable=None):
        model = models[name]
        attacked = attacks[attack](model, images, labels, epsilon) if epsilon else images
        wrong = int(np.sum(probabilities_of(model, attacked).argmax(axis=1) != labels))
        found.append((name, attack, epsilon, len(labels), wrong, 1 - wrong / len(labels)))
    columns = ["model", "attack", "epsilon", "digits", "errors", "accuracy"]
    return pd.DataFrame(found, columns=columns)
