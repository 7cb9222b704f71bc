"""Carry what datasets remember from one process to another, as if both used the same objects."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from kedro.io import MemoryDataset

from mnist_kedro.runners.pickling import dumps, loads

States = dict[str, dict[str, bytes]]  # attributes of datasets, pickled


def in_memory(dataset: Any) -> bool:
    """Return whether a dataset's data goes from worker to worker without a file.

    Subclasses of MemoryDataset that load or save in their own way keep their data themselves.
    """
    kind = type(dataset)
    return isinstance(dataset, MemoryDataset) and kind.save is MemoryDataset.save


def states_of(datasets: Mapping[str, Any], names: Iterable[str]) -> States:
    """Return the attributes of all datasets that are not in memory."""
    return {name: _state(datasets[name]) for name in names if not in_memory(datasets[name])}


def changes(before: States, after: States) -> States:
    """Return the attributes that differ."""
    changed = {
        name: {key: value for key, value in state.items() if before.get(name, {}).get(key) != value}
        for name, state in after.items()
    }
    return {name: state for name, state in changed.items() if state}


def apply(changed: States, datasets: Mapping[str, Any]) -> None:
    """Set the attributes of datasets."""
    for name, state in changed.items():
        datasets[name].__dict__.update({key: loads(value) for key, value in state.items()})


def _state(dataset: Any) -> dict[str, bytes]:
    state = {}
    for key, value in vars(dataset).items():
        with suppress(Exception):  # what cannot be pickled stays where it is
            state[key] = dumps(value)
    return state
