"""Hooks around nodes that run elsewhere."""

from collections.abc import Iterator, Mapping
from typing import Any

from kedro.framework.hooks.manager import _NullPluginManager
from kedro.io import CatalogProtocol
from kedro.pipeline.node import Node
from pluggy import PluginManager


class NodeHooks:
    """Calls a run's hooks around a node, in Kedro's order, with what the node itself got and gave.

    Data are loaded only for hooks that ask for them.
    """

    def __init__(
        self, manager: PluginManager | None, catalog: CatalogProtocol, run_id: str | None
    ) -> None:
        self._manager: Any = manager or _NullPluginManager()
        self._catalog, self._run_id = catalog, run_id

    def before(self, node: Node, in_memory: Mapping[str, Any]) -> dict[str, Any]:
        """Before a node starts; returns the inputs that hooks put in place of others."""
        hook = self._manager.hook
        inputs = _Data(self._catalog, in_memory, node.inputs)
        for name in node.inputs:
            hook.before_dataset_loaded(dataset_name=name, node=node)
            data = inputs[name] if _asks(hook.after_dataset_loaded, "data") else None
            hook.after_dataset_loaded(dataset_name=name, data=data, node=node)
        answers = hook.before_node_run(inputs=inputs, **self._about(node))
        return {name: data for answer in answers or [] for name, data in (answer or {}).items()}

    def after(self, node: Node, in_memory: Mapping[str, Any]) -> None:
        """After a node and its outputs are done."""
        hook = self._manager.hook
        inputs = _Data(self._catalog, in_memory, node.inputs)
        outputs = _Data(self._catalog, in_memory, node.outputs)
        hook.after_node_run(inputs=inputs, outputs=outputs, **self._about(node))
        for name in node.outputs:
            for call in (hook.before_dataset_saved, hook.after_dataset_saved):
                data = outputs[name] if _asks(call, "data") else None
                call(dataset_name=name, data=data, node=node)

    def failed(self, node: Node, error: BaseException) -> None:
        """After a node failed."""
        inputs = _Data(self._catalog, {}, node.inputs)
        self._manager.hook.on_node_error(error=error, inputs=inputs, **self._about(node))

    def _about(self, node: Node) -> dict[str, Any]:
        return {
            "node": node,
            "catalog": self._catalog,
            "is_async": False,
            "run_id": self._run_id,
        }


def _asks(hook: Any, argument: str) -> bool:
    """Whether any implementation takes this argument; without a session there is none."""
    return any(argument in implementation.argnames for implementation in hook.get_hookimpls() or ())


class _Data(Mapping[str, Any]):
    """A node's inputs or outputs, loaded when they are looked at."""

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
