"""How results are shown."""

from typing import Annotated

from pydantic import Field, PositiveInt

from mnist_kedro.parameter_types import Group


class ReportingParameters(Group):
    """What the figures show, and what is asked of a model."""

    examples: PositiveInt
    mistakes: PositiveInt
    target_accuracy: Annotated[float, Field(gt=0, lt=1)]
    robustness_digits: PositiveInt
    corruption_parts: Annotated[int, Field(ge=1, le=18)]  # as many as there are corruptions
