"""Make the initial weights reproducible."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import keras
from keras.src.random import seed_generator


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed Keras, and give it a random number generator that no other thread uses.

    Keras draws the seeds of initializers from Python's global generator. Other threads, such as
    those of a Dask worker, use it, too, so that some trainings were not reproducible. The private
    generator gives the same numbers as the global generator without other threads.
    """
    keras.utils.set_random_seed(seed)
    shared = seed_generator.python_random
    seed_generator.python_random = random.Random(seed)  # noqa: S311
    try:
        yield
    finally:
        seed_generator.python_random = shared
