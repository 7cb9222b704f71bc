"""How digits like MNIST's are made."""

from typing import Annotated

from pydantic import Field

from mnist_kedro.parameter_types import Group, Seed
from mnist_kedro.parameters.training import AugmentationParameters


class GenerationParameters(Group):
    """How many digits are made, and how they are varied."""

    digits: Annotated[int, Field(ge=20)]
    seed: Seed
    augmentation: AugmentationParameters
