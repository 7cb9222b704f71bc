"""The networks; the module of each defines its parameters and builds it.

To add a network, add a module with a subclass of :class:`Network` to this folder, and an entry to
``conf/base/parameters_training.yml``.
"""

from functools import reduce
from importlib import import_module
from operator import or_
from pkgutil import iter_modules
from typing import Annotated, Any, get_args

from pydantic import Field, RootModel

from mnist_kedro.contracts import PixelStatistics
from mnist_kedro.networks.network import Network

__all__ = ["ARCHITECTURES", "Network", "NetworkParameters"]

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

# The classes of the networks, by their values of ``architecture``.
ARCHITECTURES: dict[str, type[Network]] = {
    get_args(network.model_fields["architecture"].annotation)[0]: network
    for network in Network.__subclasses__()
}
_AnyNetwork: Any = reduce(or_, ARCHITECTURES.values())


class NetworkParameters(RootModel[Annotated[_AnyNetwork, Field(discriminator="architecture")]]):
    """The parameters of any network; ``architecture`` selects its class."""

    def build(self, statistics: PixelStatistics) -> Any:
        """Build the network; see :meth:`Network.build`."""
        return self.root.build(statistics)
