"""The parameters of the inference."""

from pydantic import PositiveInt

from mnist_kedro.parameter_types import Group


class InferenceParameters(Group):
    """The pictures to classify, their labels, and how to process and show them."""

    images: str | None
    labels: str | None
    all_digits: bool
    parts: PositiveInt
    shown: PositiveInt
