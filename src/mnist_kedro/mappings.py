"""Flatten nested mappings, such as parameters and metrics."""

from collections.abc import Iterator, Mapping
from typing import Any


def flatten(mapping: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted name and the value of each leaf, such as ``("training.epochs", 2)``.

    Args:
        mapping: nested mapping; an empty mapping counts as a leaf.
        prefix: prefix of all names.
    """
    for key, value in mapping.items():
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
