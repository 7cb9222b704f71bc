"""What all groups of parameters have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(gt=0, lt=1)]


class Group(BaseModel):
    """Parameters that belong together; a key that is not among them is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)
