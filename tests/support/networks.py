"""The networks of ``--env smoke``, which are small."""

from typing import Any

import pytest

from mnist_kedro.parameters import NetworkParameters
from mnist_kedro.parameters.networks import ModelParameters
from tests.support.parameters import SMOKE

STATISTICS = {"mean": 33.3, "standard_deviation": 78.6}
NETWORKS = {name: group.network for name, group in SMOKE if isinstance(group, ModelParameters)}
# The CNN, and the one with a layer of its own; `make test-all` takes all.
EVERY_NETWORK = [
    name if name in {"cnn", "capsnet"} else pytest.param(name, marks=pytest.mark.slow)
    for name in NETWORKS
]


def build(network: str | dict[str, Any]) -> Any:
    """Build one of these networks by its name, or another one by its parameters."""
    from mnist_kedro.models.networks import build_network

    parameters = NETWORKS[network] if isinstance(network, str) else network
    return build_network(NetworkParameters.model_validate(parameters), STATISTICS)
