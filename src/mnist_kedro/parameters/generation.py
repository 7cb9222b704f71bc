"""The parameters of the generation of digits."""

from typing import Annotated

from pydantic import Field

from mnist_kedro.parameter_types import Group, Seed
from mnist_kedro.parameters.training import AugmentationParameters


class GenerationParameters(Group):
    """The number of digits to generate, and their augmentation."""

    digits: Annotated[int, Field(ge=20)]
    seed: Seed
    augmentation: AugmentationParameters
