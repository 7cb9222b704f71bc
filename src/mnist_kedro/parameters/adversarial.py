"""The parameters of the adversarial attacks."""

from typing import Annotated

from pydantic import Field, PositiveInt

from mnist_kedro.parameter_types import Fraction, Group, Seed


class AdversarialParameters(Group):
    """The number of attacked digits, the strengths of the attacks, and the steps of PGD."""

    digits: PositiveInt
    epsilons: Annotated[tuple[Fraction, ...], Field(min_length=1)]
    pgd_steps: PositiveInt
    seed: Seed
