"""Weights that follow from a seed alone."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import keras
from keras.src.random import seed_generator


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed all that Keras draws, and have it draw the seeds of weights from a generator of its own.

    Keras takes them from Python's one generator, from which other threads take numbers too, as
    those of a Dask worker do: some trainings were not the ones that were asked for. The numbers
    are the same as without other threads.
    """
    keras.utils.set_random_seed(seed)
    shared = seed_generator.python_random
    seed_generator.python_random = random.Random(seed)  # noqa: S311
    try:
        yield
    finally:
        seed_generator.python_random = shared
