"""Nodes of the ``adversarial`` pipeline."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from tqdm import tqdm

from mnist_kedro.contracts import LabelledImages, Pixels
from mnist_kedro.metrics.prediction import probabilities_of, rows_of_all
from mnist_kedro.parameters import AdversarialParameters
from mnist_kedro.plots import adversarial as plots


def attack_models(
    test: LabelledImages, adversarial: AdversarialParameters, **models: Any
) -> pd.DataFrame:
    """Count the test digits that each model misclassifies under attacks on that model.

    Args:
        test: the test split.
        adversarial: number of digits, and strength of the attacks.
        models: Keras models by their names.

    Returns:
        A row for each model, attack and epsilon: ``model``, ``attack`` (``fgsm``, ``pgd``),
        ``epsilon`` (largest change of a pixel, a fraction of its range; 0 is no attack),
        ``digits``, ``errors`` and ``accuracy``.
    """
    rows = rows_of_all(test, adversarial.digits)
    images, labels = test["images"][rows], np.asarray(test["labels"])[rows]
    found = []
    for name, model in models.items():
        attacks = _attacks(model, images, labels, adversarial)
        progress = tqdm(
            [(attack, epsilon) for attack in attacks for epsilon in (0, *adversarial.epsilons)],
            name,
            leave=False,
            disable=None,  # only on a terminal
        )
        for attack, epsilon in progress:
            attacked = attacks[attack](epsilon) if epsilon else images
            wrong = int(np.sum(probabilities_of(model, attacked).argmax(axis=1) != labels))
            found.append((name, attack, epsilon, len(labels), wrong, 1 - wrong / len(labels)))
    columns = ["model", "attack", "epsilon", "digits", "errors", "accuracy"]
    return pd.DataFrame(found, columns=columns)


def _attacks(
    model: Any, images: Pixels, labels: np.ndarray, adversarial: AdversarialParameters
) -> dict[str, Callable[[float], Pixels]]:
    from mnist_kedro.models.attacks import (  # noqa: PLC0415  (imports TensorFlow)
        fast_gradient_sign,
        projected_gradient_descent,
    )

    steps, seed = adversarial.pgd_steps, adversarial.seed
    return {
        "fgsm": lambda epsilon: fast_gradient_sign(model, images, labels, epsilon),
        "pgd": lambda epsilon: projected_gradient_descent(
            model, images, labels, epsilon, steps, seed
        ),
    }


def plot_adversarial_digits(
    model: Any, test: LabelledImages, adversarial: AdversarialParameters, *, name: str
) -> Figure:
    """Plot a digit of each class, changed more and more, with the predictions of the model."""
    rows = np.unique(np.asarray(test["labels"]), return_index=True)[1]
    images, labels = test["images"][rows], np.asarray(test["labels"])[rows]
    attack = _attacks(model, images, labels, adversarial)["pgd"]
    changed = {0.0: images, **{epsilon: attack(epsilon) for epsilon in adversarial.epsilons}}
    predicted = {
        epsilon: probabilities_of(model, pictures).argmax(axis=1)
        for epsilon, pictures in changed.items()
    }
    return plots.plot_adversarial_digits(test, changed, predicted, labels, name)
