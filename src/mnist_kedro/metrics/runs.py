"""Compare the metrics of all runs, and list what changed between them."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from mnist_kedro.mappings import flatten

Run = Mapping[str, Any]
_FIRST = ("training.models", "training.epochs", "training.seed")
_COLUMNS = (
    *("run", "model", "accuracy", "low", "high", "errors", "test_digits"),
    *("training_seconds", "data", "commit", "changed"),
)


def describe_runs(metrics: Mapping[str, Run], manifests: Mapping[str, Run]) -> pd.DataFrame:
    """Tabulate the metrics of each model in each run, in the order of the runs.

    Args:
        metrics: the ``metrics.json`` of each run, by the version of the run.
        manifests: the ``run_manifest.json`` of each run; some may be missing.

    Returns:
        ``run``, ``model``, ``accuracy`` with its 95% interval ``low`` and ``high``, ``errors``,
        ``test_digits``, ``training_seconds``, ``data`` (the test data), ``commit`` (None if
        unknown) and ``changed``, the changes since the previous run.
    """
    rows = []
    previous: Run | None = None
    settings: Run = {}
    for run, reported in metrics.items():
        manifest = manifests.get(run)
        earlier, settings = settings, _describe_trainings(reported, manifest) or settings
        changed = ""
        if previous and manifest:
            changes = *_list_parameters(earlier, settings), *_list_changes(previous, manifest)
            changed = "; ".join(changes)
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
        previous = manifest or previous
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _describe_trainings(reported: Run, manifest: Run | None) -> Run:
    """Return the parameters with which the models of a run were trained, by their full names.

    These are in the training records, because a run can report on models that it did not train.
    Earlier versions of the project saved no records: then return the parameters of the run.
    """
    records = reported.get("training_records")
    if not records:
        return dict(flatten((manifest or {}).get("parameters", {})))
    first = next(iter(records.values()))["parameters"]
    networks = {
        name: {"network": record["parameters"]["network"]} for name, record in records.items()
    }
    models = {"models": list(records)}
    return dict(flatten({"training": {**first["training"], **models}, **networks}))


def _list_parameters(before: Run, after: Run) -> Iterator[str]:
    """Describe the parameters that changed, the most important first."""
    for name in sorted(before.keys() | after.keys(), key=lambda name: (name not in _FIRST, name)):
        if before.get(name) != after.get(name):
            yield f"{name}: {_format(before, name)} → {_format(after, name)}"


def _list_changes(before: Run, after: Run) -> Iterator[str]:
    """Describe what changed in data, code, packages and processor."""
    digests = [name for name in after["data"] if name.startswith("sha256")]
    if any(before["data"].get(name) != after["data"][name] for name in digests):
        yield "different data"
    commits = [(run["git"] or {}).get("commit") for run in (before, after)]
    if commits[0] != commits[1]:
        yield f"commit {(commits[1] or 'unknown')[:7]}"
    if (after["git"] or {}).get("modified"):
        yield "uncommitted changes"
    for name, version in after["packages"].items():
        if before["packages"].get(name) != version:
            yield f"{name} {version}"
    if before["processor"] != after["processor"]:
        yield f"on {after['processor']}"


def _format(parameters: Mapping[str, Any], name: str) -> str:
    return str(parameters[name]) if name in parameters else "none"
