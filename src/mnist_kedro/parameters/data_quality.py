"""The parameters of the check of the ingested digits."""

from typing import Annotated

from pydantic import Field, PositiveInt

from mnist_kedro.parameter_types import Group, Seed


class DataQualityParameters(Group):
    """Whether and how label errors are searched, and how many digits are shown."""

    label_errors: bool
    folds: Annotated[int, Field(ge=2, le=20)]
    steps: PositiveInt
    examples: PositiveInt
    seed: Seed
