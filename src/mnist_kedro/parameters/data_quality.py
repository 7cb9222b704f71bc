"""The parameters of the data quality checks."""

from typing import Annotated

from pydantic import Field, PositiveInt

from mnist_kedro.parameter_types import Group, Seed


class DataQualityParameters(Group):
    """The search for label errors, and the number of digits to show."""

    label_errors: bool
    folds: Annotated[int, Field(ge=2, le=20)]
    steps: PositiveInt
    examples: PositiveInt
    seed: Seed
