"""The parameters of fine-tuning a network on corrections."""

from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt

from mnist_kedro.parameter_types import Group, Seed


class TeachingParameters(Group):
    """The fine-tuning on corrections, and its evaluation."""

    min_corrections: Annotated[int, Field(ge=2)]
    steps: PositiveInt
    learning_rate: PositiveFloat
    corrected_digits: PositiveInt
    training_digits: PositiveInt
    strengths: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)]
    folds: Annotated[int, Field(ge=2)]
    redrawn_digits: PositiveInt
    seed: Seed
