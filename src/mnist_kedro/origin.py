"""Describe the origin of digits."""

from collections.abc import Mapping
from pathlib import PureWindowsPath
from typing import Any


def describe_origin(data: Mapping[str, Any]) -> str:
    """Return "MNIST", "the sample" or the file name, according to the Provenance of digits."""
    if data["canonical_mnist"]:
        return "MNIST"
    # Paths contain slashes or backslashes, depending on the operating system of the ingestion.
    return "the sample" if data["source"] == "sample" else PureWindowsPath(data["source"]).name
