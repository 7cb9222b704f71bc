"""The parameters of the promotion of exported models."""

from mnist_kedro.parameter_types import Group


class PromotionParameters(Group):
    """Whether an export may replace the model that is served."""

    enabled: bool
    force: str | None
