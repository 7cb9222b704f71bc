"""Train this project's CNN with the settings of an environment.

As in a run, the validation split is held out. The time is that of the complete training node,
including the evaluation on the validation digits after each epoch.
"""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from kedro.config import OmegaConfigLoader

from benchmarks.recipe import Clock, Digits
from mnist_kedro.parameters import Parameters
from mnist_kedro.pipelines.data_processing.nodes import (
    compute_pixel_statistics,
    split_training_digits,
)
from mnist_kedro.settings import CONFIG_LOADER_ARGS

_CONF = Path(__file__).parents[1] / "conf"


def parameters(environment: str) -> Parameters:
    """Load the parameters of an environment."""
    options: dict[str, Any] = {**CONFIG_LOADER_ARGS, "default_run_env": environment}
    loader = OmegaConfigLoader(conf_source=str(_CONF), **options)
    return Parameters.model_validate(loader["parameters"])


def train(digits: Digits, seed: int, epochs: int | None = None, environment: str = "base") -> Any:
    """Train the CNN; ``epochs`` overrides the number of epochs of the environment."""
    from mnist_kedro.models.fitting import fit_network

    options = parameters(environment)
    mnist: Any = {**asdict(digits), **_no_provenance()}
    train_split, validation = split_training_digits(mnist, options.data_processing)
    statistics = compute_pixel_statistics(train_split)
    changes = {"seed": seed, **({"epochs": epochs} if epochs else {})}
    training = options.training.model_copy(update=changes)
    clock = Clock()
    model, history = fit_network(
        *(train_split, validation, statistics, training, options.networks["cnn"], None, environment)
    )
    clock.stop()
    predictions = model.predict(digits.x_test[..., np.newaxis], batch_size=1000, verbose=0)
    clock.report(history["epochs"], predictions.argmax(axis=1), digits.y_test)
    return model


def _no_provenance() -> dict[str, Any]:
    from mnist_kedro.contracts import Provenance

    return dict.fromkeys(Provenance.__annotations__, "")


def predictor(model: Any) -> Callable[[np.ndarray], np.ndarray]:
    """Return a compiled function from raw pixels ``(n, 28, 28)`` to digits ``(n,)``."""
    import tensorflow as tf

    compiled = tf.function(model, reduce_retracing=True)
    return lambda images: compiled(images[..., np.newaxis]).numpy().argmax(axis=1)
