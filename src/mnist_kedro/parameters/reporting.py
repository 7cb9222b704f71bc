"""The parameters of the figures and reports."""

from typing import Annotated

from pydantic import Field, PositiveInt

from mnist_kedro.parameter_types import Group


class ReportingParameters(Group):
    """The numbers of digits in figures and tests, and the target accuracy of the reject option."""

    examples: PositiveInt
    mistakes: PositiveInt
    target_accuracy: Annotated[float, Field(gt=0, lt=1)]
    robustness_digits: PositiveInt
