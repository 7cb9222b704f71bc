"""Share the work of a node among several nodes, which a cluster runs at the same time."""

from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any

from kedro.pipeline import Node


def divide(
    func: Callable[..., Any],
    inputs: list[str] | dict[str, str],
    output: str,
    parts: int,
    join: Callable[..., Any],
) -> list[Node]:
    """Create one node for all of the work, or one for each part and one that joins the parts.

    The second part of ``<func>`` is the node ``<func>_2``, and makes the dataset ``<output>_2``.

    Args:
        func: takes the inputs, the number of its ``part``, from 0, and the number of ``parts``.
        inputs: datasets, as of any node.
        output: dataset of the whole result.
        parts: number of nodes that share the work.
        join: takes the results of the parts in their order, and returns the whole.
    """
    name = func.__name__
    if parts == 1:
        return [Node(func, inputs, output, name=name)]
    nodes = [
        Node(
            update_wrapper(partial(func, part=part, parts=parts), func),
            inputs,
            f"{output}_{part + 1}",
            name=f"{name}_{part + 1}",
        )
        for part in range(parts)
    ]
    results = [node.outputs[0] for node in nodes]
    return [*nodes, Node(join, results, output, name=join.__name__)]
