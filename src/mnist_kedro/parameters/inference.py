"""Which pictures are read."""

from pydantic import PositiveInt

from mnist_kedro.parameter_types import Group


class InferenceParameters(Group):
    """A person's own pictures."""

    images: str | None
    labels: str | None
    parts: PositiveInt
    shown: PositiveInt
