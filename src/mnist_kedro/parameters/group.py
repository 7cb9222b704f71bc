"""What all groups of parameters have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(gt=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]  # NumPy and Keras take 32 bits; members add to it


class Group(BaseModel):
    """Parameters that belong together; a key that is not among them is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)
