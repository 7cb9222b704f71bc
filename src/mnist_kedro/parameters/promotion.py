"""The parameters of the promotion of exported models."""

from mnist_kedro.parameter_types import Group


class PromotionParameters(Group):
    """The conditions for an exported model to replace the served model."""

    enabled: bool
    force: str | None
