"""What one run did otherwise than the one before, and what came of it."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

Run = Mapping[str, Any]
_COLUMNS = (
    *("run", "model", "accuracy", "low", "high", "errors", "test_digits"),
    *("training_seconds", "data", "commit", "changed"),
)


def describe_runs(metrics: Mapping[str, Run], manifests: Mapping[str, Run]) -> pd.DataFrame:
    """A row for each model of each run that reported, in their order.

    Args:
        metrics: of each run, as in ``metrics.json``, by the run's version.
        manifests: of each run, as in ``run_manifest.json``; some may be missing.

    Returns:
        ``run``, ``model``, ``accuracy`` with its 95 % interval ``low`` and ``high``, ``errors``,
        ``test_digits``, ``training_seconds``, ``data`` (what it was tested on), ``commit`` (None:
        not known) and ``changed``: what the run did otherwise than the one before it.
    """
    rows = []
    before: Run | None = None
    for run, reported in metrics.items():
        manifest = manifests.get(run)
        changed = "; ".join(_changes(before, manifest)) if before and manifest else ""
        git = (manifest or {}).get("git") or {}
        for model, evaluation in reported["models"].items():
            low, high = evaluation["accuracy_ci95"]
            rows.append(
                (
                    *(run, model, evaluation["accuracy"], low, high, evaluation["errors"]),
                    *(reported["data"]["test"], evaluation["training_seconds"]),
                    *(reported["data"]["description"], git.get("commit"), changed),
                )
            )
        before = manifest or before
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _changes(before: Run, after: Run) -> Iterator[str]:
    """In a few words each: parameters, digits, code, packages, machine."""
    old, new = dict(_leaves(before["parameters"])), dict(_leaves(after["parameters"]))
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield f"{name}: {_told(old, name)} → {_told(new, name)}"
    digests = [name for name in after["data"] if name.startswith("sha256")]
    if any(before["data"].get(name) != after["data"][name] for name in digests):
        yield "other digits"
    commits = [(run["git"] or {}).get("commit") for run in (before, after)]
    if commits[0] != commits[1]:
        yield f"code {(commits[1] or 'unknown')[:7]}"
    if (after["git"] or {}).get("modified"):
        yield "code with changes"
    for name, version in after["packages"].items():
        if before["packages"].get(name) != version:
            yield f"{name} {version}"
    if before["processor"] != after["processor"]:
        yield f"on {after['processor']}"


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """``(training.epochs, 2)`` and so on."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _told(leaves: Mapping[str, Any], name: str) -> str:
    return str(leaves[name]) if name in leaves else "none"
