"""The parameters of the ink finder, a network that finds ink in pictures."""

from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt

from mnist_kedro.parameter_types import Group, Seed


class InkFinderParameters(Group):
    """The number and size of simulated pages, and the training on them."""

    pages: PositiveInt
    side: Annotated[int, Field(ge=32, multiple_of=8)]
    epochs: PositiveInt
    batch_size: PositiveInt
    learning_rate: PositiveFloat
    seed: Seed
