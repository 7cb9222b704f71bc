"""Call the hooks of nodes that run on other machines."""

from collections.abc import Iterator, Mapping
from typing import Any

from kedro.framework.hooks.manager import _NullPluginManager
from kedro.io import CatalogProtocol
from kedro.pipeline.node import Node
from pluggy import PluginManager


class NodeHooks:
    """Call a run's hooks around a node, in Kedro's order, with the node's inputs and outputs.

    Data is only loaded for hooks that have it as an argument.
    """

    def __init__(
        self, manager: PluginManager | None, catalog: CatalogProtocol, run_id: str | None
    ) -> None:
        self._manager: Any = manager or _NullPluginManager()
        self._catalog, self._run_id = catalog, run_id

    def before(self, node: Node, in_memory: Mapping[str, Any]) -> dict[str, Any]:
        """Call the hooks before a node starts, and return the inputs that they replace."""
        hook = self._manager.hook
        inputs = _LazyData(self._catalog, in_memory, node.inputs)
        for name in node.inputs:
            hook.before_dataset_loaded(dataset_name=name, node=node)
            data = inputs[name] if _takes(hook.after_dataset_loaded, "data") else None
            hook.after_dataset_loaded(dataset_name=name, data=data, node=node)
        results = hook.before_node_run(inputs=inputs, **self._arguments(node))
        return {name: data for result in results or [] for name, data in (result or {}).items()}

    def after(self, node: Node, in_memory: Mapping[str, Any]) -> None:
        """Call the hooks after a node has run and its outputs are saved."""
        hook = self._manager.hook
        inputs = _LazyData(self._catalog, in_memory, node.inputs)
        outputs = _LazyData(self._catalog, in_memory, node.outputs)
        hook.after_node_run(inputs=inputs, outputs=outputs, **self._arguments(node))
        for name in node.outputs:
            for call in (hook.before_dataset_saved, hook.after_dataset_saved):
                data = outputs[name] if _takes(call, "data") else None
                call(dataset_name=name, data=data, node=node)

    def failed(self, node: Node, error: BaseException) -> None:
        """Call the hooks after a node has failed."""
        inputs = _LazyData(self._catalog, {}, node.inputs)
        self._manager.hook.on_node_error(error=error, inputs=inputs, **self._arguments(node))

    def _arguments(self, node: Node) -> dict[str, Any]:
        return {
            "node": node,
            "catalog": self._catalog,
            "is_async": False,
            "run_id": self._run_id,
        }


def _takes(hook: Any, argument: str) -> bool:
    """Check whether any implementation takes an argument; without a session there are none."""
    return any(argument in implementation.argnames for implementation in hook.get_hookimpls() or ())


class _LazyData(Mapping[str, Any]):
    """Load a node's inputs or outputs on access."""

    def __init__(
        self, catalog: CatalogProtocol, in_memory: Mapping[str, Any], names: list[str]
    ) -> None:
        self._catalog, self._in_memory, self._names = catalog, in_memory, names

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        if name in self._in_memory:
            return self._in_memory[name].result()
        return self._catalog.load(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
