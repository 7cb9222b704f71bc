"""Types that the groups of parameters share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(gt=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]  # NumPy and Keras take 32 bits; ensembles add to it


class Group(BaseModel):
    """Parameters that belong together; unknown keys are rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True)
