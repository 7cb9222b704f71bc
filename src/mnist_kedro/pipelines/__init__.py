"""The pipelines, a folder each: ``pipeline.py`` lists nodes, ``nodes.py`` has their functions."""


def member_names(model: str, members: int) -> list[str]:
    """Name the networks of an ensemble, which differ by their seeds: ``cnn``, ``cnn_2``, ..."""
    return [model, *(f"{model}_{number}" for number in range(2, members + 1))]
