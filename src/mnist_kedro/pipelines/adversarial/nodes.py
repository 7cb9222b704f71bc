"""Nodes of the ``adversarial`` pipeline."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from tqdm import tqdm

from mnist_kedro.contracts import LabelledImages, Pixels
from mnist_kedro.evaluation.prediction import probabilities_of, rows_of_all
from mnist_kedro.parameters import AdversarialParameters
from mnist_kedro.plots.adversarial import plot_adversarial_accuracy, plot_adversarial_digits


def attack_models(
    test: LabelledImages, adversarial: AdversarialParameters, **models: Any
) -> pd.DataFrame:
    """How many test digits each model misreads when they are changed to be misread by it.

    Args:
        test: the test split.
        adversarial: of how many of its digits, and how much they are changed.
        models: Keras models by their names.

    Returns:
        A row for each model, attack and epsilon: ``model``, ``attack`` (``fgsm``, ``pgd``),
        ``epsilon`` (a share in 0–1 of the pixels' range; 0 is the digits as they are),
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
            disable=None,  # no bar unless a person watches
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
    from mnist_kedro.models.adversarial import (  # noqa: PLC0415  (imports TensorFlow)
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


def draw_adversarial_accuracy(test: LabelledImages, adversarial_accuracies: pd.DataFrame) -> Figure:
    """Accuracy against how far the pixels may be changed."""
    return plot_adversarial_accuracy(test, adversarial_accuracies)


def draw_adversarial_digits(
    test: LabelledImages, adversarial: AdversarialParameters, **models: Any
) -> Figure:
    """A digit of each class, changed more and more, and what the one model reads."""
    ((name, model),) = models.items()
    rows = np.unique(np.asarray(test["labels"]), return_index=True)[1]
    images, labels = test["images"][rows], np.asarray(test["labels"])[rows]
    attack = _attacks(model, images, labels, adversarial)["pgd"]
    changed = {0.0: images, **{epsilon: attack(epsilon) for epsilon in adversarial.epsilons}}
    read = {
        epsilon: probabilities_of(model, pictures).argmax(axis=1)
        for epsilon, pictures in changed.items()
    }
    return plot_adversarial_digits(test, changed, read, labels, name)
