"""How networks are attacked."""

from typing import Annotated

from pydantic import Field, PositiveInt

from mnist_kedro.parameter_types import Fraction, Group, Seed


class AdversarialParameters(Group):
    """On how many digits, how strongly, how long."""

    digits: PositiveInt
    epsilons: Annotated[tuple[Fraction, ...], Field(min_length=1)]
    pgd_steps: PositiveInt
    seed: Seed
