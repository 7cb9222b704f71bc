"""Choose matching versions of a run's inputs, by their lineage."""

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
    requested: Iterable[str],
    command: Callable[[str], str],
    promoted: Lineage | None = None,
) -> Chosen:
    """Choose one version of each input, so that their lineages do not contradict each other.

    By default, choose the latest versions, and raise an error if they do not match. With
    ``requested`` or ``promoted``, choose the latest versions that match these inputs: for a
    requested model, the history and the digits that belong to it.

    Args:
        inputs: the versioned inputs of the run that exist, by their names.
        requested: names of the inputs whose version the user chose.
        command: function that returns the command to re-create an input, for error messages.
        promoted: lineage of the served network if the run loads it; all inputs must match it.

    Raises:
        InputError: if inputs do not match; the message names the difference and the remedy.
    """
    requested = [name for name in requested if name in inputs]
    # Models come first, so that the error message blames the other dataset.
    others = sorted(
        set(inputs) - set(requested), key=lambda name: (not name.endswith(".model"), name)
    )
    chosen: Chosen = {}
    # Each key of the lineage, with its digest and the input that the digest comes from.
    joined = {key: (digest, PROMOTED) for key, digest in (promoted or {}).items()}
    for name in [*requested, *others]:
        version = str(inputs[name].resolve_load_version())
        try:
            lineage = _read_lineage(inputs[name], version)
        except DatasetError as error:
            raise DatasetError(f"{name}: {error}") from error
        if not _matches(lineage, joined):
            matching = _latest_match(inputs[name], joined)
            if matching is None or name in requested or not (requested or promoted):
                raise InputError(
                    _describe_mismatch(name, version, lineage, joined, chosen, matching, command)
                )
            version, lineage = matching
        chosen[name] = version, lineage
        joined = {key: (digest, name) for key, digest in lineage.items()} | joined
    return chosen


def check_lineage_is_known(nodes: Iterable[Node], chosen: Chosen) -> None:
    """Reject inputs without a lineage, if a node checks that its inputs match.

    Raises:
        InputError: if an input has no lineage; the message names the input and its version.
    """
    checked = {name for node in nodes if is_checking(node.func) for name in node.inputs}
    for name in sorted(checked & chosen.keys()):
        version, lineage = chosen[name]
        if not lineage:
            raise InputError(
                f"{name}: version {version} has no lineage (saved by an earlier release of this "
                "project, or by a node without 'with_lineage'); 'kedro run' re-creates all "
                "datasets."
            )


def _read_lineage(dataset: AbstractVersionedDataset, version: str) -> Lineage:
    """Return the lineage of one version, without loading arrays or weights where possible."""
    pinned: Any = dataset._copy(_version=Version(version, None))  # noqa: SLF001
    return lineage_of(pinned.attributes() if hasattr(pinned, "attributes") else pinned.load())


def _matches(lineage: Lineage, joined: Mapping[str, tuple[str, str]]) -> bool:
    return all(joined.get(key, (digest,))[0] == digest for key, digest in lineage.items())


def _latest_match(
    dataset: AbstractVersionedDataset, joined: Mapping[str, tuple[str, str]]
) -> tuple[str, Lineage] | None:
    """Return the latest readable version that matches the chosen inputs; None if none does."""
    for version in dataset.list_versions(full_path=False):
        try:
            lineage = _read_lineage(dataset, version)
        except DatasetError:
            continue
        if lineage and _matches(lineage, joined):
            return version, lineage
    return None


def _describe_mismatch(
    name: str,
    version: str,
    lineage: Lineage,
    joined: Mapping[str, tuple[str, str]],
    chosen: Chosen,
    matching: tuple[str, Lineage] | None,
    command: Callable[[str], str],
) -> str:
    key = next(key for key in lineage if key in joined and joined[key][0] != lineage[key])
    digest, other = joined[key]
    other_version = chosen[other][0] if other in chosen else None  # None: the served network
    if matching is None:
        remedy = f"no version of '{name}' matches; create one with '{command(name)}'"
    elif other_version is None:
        remedy = f"remove --load-versions {name}:{version}, or set it to {name}:{matching[0]}"
    else:
        remedy = (
            f"version {matching[0]} of '{name}' matches: add --load-versions "
            f"{other}:{other_version}, which also selects all matching inputs"
        )
    reference = f"'{other}', version {other_version}" if other_version else "the served network"
    return (
        f"{name}: version {version} does not match {reference}: {describe(key)} is {lineage[key]} "
        f"instead of {digest}; {remedy}."
    )
