"""How results are shown."""

from pydantic import PositiveInt

from mnist_kedro.parameters.group import Group


class ReportingParameters(Group):
    """What the figures show."""

    examples: PositiveInt
    mistakes: PositiveInt
