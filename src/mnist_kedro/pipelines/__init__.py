"""The pipelines, one per folder: ``pipeline.py`` lists nodes, ``nodes.py`` has their functions."""


def member_names(model: str, members: int) -> list[str]:
    """Return the names of an ensemble's networks: ``cnn``, ``cnn_2``, …; their seeds differ."""
    return [model, *(f"{model}_{number}" for number in range(2, members + 1))]
