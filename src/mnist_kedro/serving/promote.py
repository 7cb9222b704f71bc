"""Commands of the web app that list the exported models, and choose which one is served."""

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from mnist_kedro.errors import InputError
from mnist_kedro.promotion import (
    FILE,
    Promotion,
    describe_accuracy,
    read_decisions,
    read_history,
    read_promoted,
    save_decision,
)
from mnist_kedro.versions import find_versions, version_path

_DESCRIPTION = "_onnx.json"  # ending of the names of descriptions


def _list_models(options: argparse.Namespace) -> None:
    """Print each exported model: name, version, accuracy, digits, and whether it is served."""
    from mnist_kedro.serving.model import ModelStore  # noqa: PLC0415  (ONNX Runtime)

    store = ModelStore(options.models, options.model)
    store.refresh()
    served = store.current and (store.current.name, store.current.version)
    decisions: dict[tuple[str, str], Promotion] = {}
    for decision in read_decisions(options.models):
        decisions.setdefault((decision["model"], decision["version"]), decision)
    for name, version in _exported(options.models):
        status = "served" if (name, version) == served else ""
        if not status and (name, version) in decisions:
            decision = decisions[name, version]
            kind = "promoted before" if decision["promoted"] else "candidate"
            status = f"{kind}: {decision['reason']}"
        print(name, version, _accuracy(options.models, name, version), status, sep="  ")  # noqa: T201


def _promote(options: argparse.Namespace) -> None:
    """Serve a version from now on, after checking its files."""
    name, version = _find(options)
    _move(options.models, (name, version), "promote", "promoted by a person")
    print(f"{name} {version} is promoted; running servers serve it within seconds.")  # noqa: T201


def _rollback(options: argparse.Namespace) -> None:
    """Serve the model again that was promoted before the one that is served."""
    name, version = roll_back(options.models)
    print(f"{name} {version} is promoted; running servers serve it within seconds.")  # noqa: T201


def roll_back(folder: Path) -> tuple[str, str]:
    """Promote the model again that was promoted before the one that is served.

    Returns:
        Its name and version.

    Raises:
        InputError: if there is none, or its files fail their checks.
    """
    *earlier, current = read_history(folder) or [("", "")]
    if not earlier:
        raise InputError(
            f"{folder / FILE}: there is no earlier promoted model to go back to; "
            "'python -m mnist_kedro.serving models' lists the exported ones."
        )
    _move(folder, earlier[-1], "rollback", f"instead of {' '.join(current)}")
    return earlier[-1]


COMMANDS: Mapping[str, Callable[[argparse.Namespace], None]] = {
    "models": _list_models,
    "promote": _promote,
    "rollback": _rollback,
}


def _move(folder: Path, model: tuple[str, str], command: str, reason: str) -> None:
    from mnist_kedro.serving.model import load_model  # noqa: PLC0415  (ONNX Runtime)

    name, version = model
    record = load_model(folder, name, version).description.get("training_record")
    before = next(read_promoted(folder), None)
    served = {"model": before["model"], "version": before["version"]} if before else None
    decision = Promotion(
        model=name,
        version=version,
        trained=record["run"]["id"] if record else None,
        promoted=True,
        reason=reason,
        by=command,
        served=served,
    )
    save_decision(folder, decision)


def _exported(folder: Path) -> list[tuple[str, str]]:
    """List the names and versions of all exported models, the latest version of each first."""
    names = sorted(path.name.removesuffix(_DESCRIPTION) for path in folder.glob(f"*{_DESCRIPTION}"))
    return [
        (name, version)
        for name in names
        for version in find_versions(folder / f"{name}{_DESCRIPTION}")
    ]


def _find(options: argparse.Namespace) -> tuple[str, str]:
    """Find the exported model of a version; of several models, ``--model`` names one."""
    exported = [one for one in _exported(options.models) if options.model in (None, one[0])]
    found = [name for name, version in exported if version == options.version]
    if len(found) > 1:
        raise InputError(
            f"version {options.version}: there are the models {', '.join(found)}; name one with "
            "--model."
        )
    if not found:
        listed = ", ".join(" ".join(one) for one in exported[:5]) or "none"
        raise InputError(
            f"{options.models}: no exported model has the version {options.version}; there are: "
            f"{listed}."
        )
    return found[0], options.version


def _accuracy(folder: Path, name: str, version: str) -> str:
    """Describe the accuracy and the digits of an exported model."""
    path = version_path(folder / f"{name}{_DESCRIPTION}", version)
    try:
        return describe_accuracy(json.loads(path.read_bytes()))
    except (OSError, ValueError):
        return "unknown accuracy"
