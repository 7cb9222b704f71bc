"""Share the work of a node among several nodes, which a cluster runs at the same time."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial, update_wrapper
from typing import Any

from kedro.pipeline import Node

Inputs = Sequence[str] | Mapping[str, str]


def divide(
    func: Callable[..., Any],
    inputs: Inputs,
    output: str,
    parts: int,
    join: Callable[..., Any],
    own_inputs: Sequence[str] = (),
) -> list[Node]:
    """Create one node for all of the work, or one for each part and one that joins the parts.

    The second part of ``<func>`` is the node ``<func>_2``, and makes the dataset ``<output>_2``.

    Args:
        func: takes the inputs, the number of its ``part``, from 0, and the number of ``parts``.
        inputs: datasets, as of any node; a list if there are ``own_inputs``.
        output: dataset of the whole result.
        parts: number of nodes that share the work.
        join: takes the results of the parts in their order, and returns the whole.
        own_inputs: further datasets, of which each part has its own: ``<input>_2``.
    """
    name = func.__name__
    if parts == 1:
        return [Node(func, _add(inputs, own_inputs), output, name=name)]
    nodes = [
        Node(
            update_wrapper(partial(func, part=number - 1, parts=parts), func),
            _add(inputs, [f"{own}_{number}" for own in own_inputs]),
            f"{output}_{number}",
            name=f"{name}_{number}",
        )
        for number in range(1, parts + 1)
    ]
    results = [node.outputs[0] for node in nodes]
    return [*nodes, Node(join, results, output, name=join.__name__)]


def _add(inputs: Inputs, own_inputs: Sequence[str]) -> Any:
    return [*inputs, *own_inputs] if own_inputs else inputs
