"""Define types that several groups of parameters use."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(gt=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]  # below 32 bits, because ensembles add to the seed


class Group(BaseModel):
    """Base class of a group of parameters; unknown keys are rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True)
