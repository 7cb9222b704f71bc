"""Name where digits come from."""

from collections.abc import Mapping
from pathlib import PureWindowsPath
from typing import Any


def describe_origin(data: Mapping[str, Any]) -> str:
    """Return a short name of digits from their Provenance: MNIST, the sample, or the file name."""
    if data["canonical_mnist"]:
        return "MNIST"
    # Paths have slashes or backslashes, depending on the system of the ingestion.
    return "the sample" if data["source"] == "sample" else PureWindowsPath(data["source"]).name
