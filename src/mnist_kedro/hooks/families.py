"""Choose versions of the inputs of a run that belong together."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kedro.io.core import AbstractVersionedDataset, DatasetError, Version
from kedro.pipeline.node import Node

from mnist_kedro.errors import InputError
from mnist_kedro.lineage import Lineage, describe, is_checking, lineage_of

PROMOTED = "promoted_network"  # the dataset of the network that is served

Chosen = dict[str, tuple[str, Lineage]]  # version and lineage of each input


def choose_versions(
    inputs: Mapping[str, AbstractVersionedDataset],
    asked: Iterable[str],
    command: Callable[[str], str],
    promoted: Lineage | None = None,
) -> Chosen:
    """Choose a version of each input, so that all belong together.

    Without ``asked`` these are the latest versions. Otherwise they are the latest ones that belong
    to the versions that were asked for: those of a model take its history and digits along.

    Args:
        inputs: the versioned inputs of the run that exist, by their names.
        asked: names of the inputs whose version the user chose.
        command: returns the command that makes an input again, for messages.
        promoted: the lineage of the network that is served, if the run loads it; all inputs have to
            belong to it.

    Raises:
        InputError: if inputs do not belong together; names what differs and versions that fit.
    """
    asked = [name for name in asked if name in inputs]
    # What belongs together is decided by the models, so that the message names another dataset.
    others = sorted(set(inputs) - set(asked), key=lambda name: (not name.endswith(".model"), name))
    chosen: Chosen = {}
    # A digest, and the input that has it.
    joined = {key: (digest, PROMOTED) for key, digest in (promoted or {}).items()}
    for name in [*asked, *others]:
        version = str(inputs[name].resolve_load_version())
        try:
            lineage = _read_lineage(inputs[name], version)
        except DatasetError as error:
            raise DatasetError(f"{name}: {error}") from error
        if not _fits(lineage, joined):
            fitting = _latest_fitting(inputs[name], joined)
            if fitting is None or name in asked or not (asked or promoted):
                raise InputError(
                    _describe_mismatch(name, version, lineage, joined, chosen, fitting, command)
                )
            version, lineage = fitting
        chosen[name] = version, lineage
        joined = {key: (digest, name) for key, digest in lineage.items()} | joined
    return chosen


def check_known(nodes: Iterable[Node], chosen: Chosen) -> None:
    """Reject inputs without a lineage, if a node checks that its inputs belong together.

    Raises:
        InputError: naming the input and its version.
    """
    checked = {name for node in nodes if is_checking(node.func) for name in node.inputs}
    for name in sorted(checked & chosen.keys()):
        version, lineage = chosen[name]
        if not lineage:
            raise InputError(
                f"{name}: version {version} does not say what it was made from: an earlier version "
                "of this project made it, or a node without 'with_lineage'; 'kedro run' makes all "
                "again."
            )


def _read_lineage(dataset: AbstractVersionedDataset, version: str) -> Lineage:
    """Return the lineage of one version, without loading arrays or weights where possible."""
    one: Any = dataset._copy(_version=Version(version, None))  # noqa: SLF001
    return lineage_of(one.attributes() if hasattr(one, "attributes") else one.load())


def _fits(lineage: Lineage, joined: Mapping[str, tuple[str, str]]) -> bool:
    return all(joined.get(key, (digest,))[0] == digest for key, digest in lineage.items())


def _latest_fitting(
    dataset: AbstractVersionedDataset, joined: Mapping[str, tuple[str, str]]
) -> tuple[str, Lineage] | None:
    """Return the latest readable version that belongs to the chosen ones; None without one."""
    for version in dataset.list_versions(full_path=False):
        try:
            lineage = _read_lineage(dataset, version)
        except DatasetError:
            continue
        if lineage and _fits(lineage, joined):
            return version, lineage
    return None


def _describe_mismatch(
    name: str,
    version: str,
    lineage: Lineage,
    joined: Mapping[str, tuple[str, str]],
    chosen: Chosen,
    fitting: tuple[str, Lineage] | None,
    command: Callable[[str], str],
) -> str:
    key = next(key for key in lineage if key in joined and joined[key][0] != lineage[key])
    digest, other = joined[key]
    its = chosen[other][0] if other in chosen else "that is served"
    remedy = (
        f"of '{name}', version {fitting[0]} fits: add --load-versions {other}:{its}, which takes "
        "along what belongs to it"
        if fitting
        else f"no version of '{name}' fits; make one with '{command(name)}'"
    )
    return (
        f"{name}: version {version} does not belong to '{other}', version {its}: "
        f"{describe(key)} is {lineage[key]}, but {digest} there; {remedy}."
    )
