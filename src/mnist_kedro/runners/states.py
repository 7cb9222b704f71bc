"""Copy the attributes of datasets between processes, as if both used the same objects."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from kedro.io import MemoryDataset

from mnist_kedro.runners.pickling import dumps, loads

States = dict[str, dict[str, bytes]]  # pickled attributes of each dataset


def in_memory(dataset: Any) -> bool:
    """Return whether workers exchange a dataset's data in memory, without a file.

    Subclasses of MemoryDataset that override ``save`` store their data themselves.
    """
    kind = type(dataset)
    return isinstance(dataset, MemoryDataset) and kind.save is MemoryDataset.save


def states_of(datasets: Mapping[str, Any], names: Iterable[str]) -> States:
    """Return the pickled attributes of all datasets that are not in memory."""
    return {name: _state(datasets[name]) for name in names if not in_memory(datasets[name])}


def changes(before: States, after: States) -> States:
    """Return the attributes of ``after`` that differ from ``before``."""
    changed = {
        name: {key: value for key, value in state.items() if before.get(name, {}).get(key) != value}
        for name, state in after.items()
    }
    return {name: state for name, state in changed.items() if state}


def apply(changed: States, datasets: Mapping[str, Any]) -> None:
    """Set the changed attributes of datasets."""
    for name, state in changed.items():
        datasets[name].__dict__.update({key: loads(value) for key, value in state.items()})


def _state(dataset: Any) -> dict[str, bytes]:
    state = {}
    for key, value in vars(dataset).items():
        with suppress(Exception):  # skip attributes that cannot be pickled
            state[key] = dumps(value)
    return state
