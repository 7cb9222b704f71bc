"""What happens, in the order of a run: ingestion, data_processing, training, reporting."""

# What the pipelines are made for until a run's `training.models` is known (see hooks/), as when
# `kedro registry list` asks for them; the same as in conf/base.
MODELS = ("cnn", "dense")


def member_names(model: str, members: int) -> list[str]:
    """``cnn``, ``cnn_2`` and so on: the networks of one ensemble, which differ by their seeds."""
    return [model, *(f"{model}_{number}" for number in range(2, members + 1))]
