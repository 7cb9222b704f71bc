"""The networks of ``--env smoke``, which are small."""

from typing import Any

import pytest

from mnist_kedro.networks import NetworkParameters
from tests.support.parameters import SMOKE

STATISTICS = {"mean": 33.3, "standard_deviation": 78.6}
RUN = {"id": "2026-11-26T00.00.00.000Z", "git": None, "python": "3.11.7", "packages": {}}
NETWORKS = SMOKE.networks
# The CNN, and the one with a layer of its own; `make test-all` takes all.
EVERY_NETWORK = [
    name if name in {"cnn", "capsnet"} else pytest.param(name, marks=pytest.mark.slow)
    for name in NETWORKS
]


def build(network: str | dict[str, Any]) -> Any:
    """Build one of these networks by its name, or another one by its parameters."""
    parameters = NETWORKS[network] if isinstance(network, str) else network
    return NetworkParameters.model_validate(parameters).build(STATISTICS)
