"""The parameters of teaching a network from corrections."""

from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt

from mnist_kedro.parameter_types import Group, Seed


class TeachingParameters(Group):
    """How a network learns from corrections, and what it must show for it."""

    min_corrections: Annotated[int, Field(ge=2)]
    steps: PositiveInt
    learning_rate: PositiveFloat
    corrected_digits: PositiveInt
    training_digits: PositiveInt
    strengths: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)]
    folds: Annotated[int, Field(ge=2)]
    redrawn_digits: PositiveInt
    seed: Seed
