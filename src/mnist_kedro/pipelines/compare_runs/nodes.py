"""Nodes of the ``compare_runs`` pipeline."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from mnist_kedro.metrics.runs import describe_runs

Versions = Mapping[str, Callable[[], Any]]  # the type that PartitionedDataset loads


def tabulate_runs(all_metrics: Versions, all_run_manifests: Versions) -> pd.DataFrame:
    """Tabulate the accuracy of each model of each run, and what changed since the previous run.

    Args:
        all_metrics: metrics of every run, with keys ``<run>/metrics``.
        all_run_manifests: manifests, with keys ``<run>/run_manifest``; some runs may have none.
            Manifests whose id differs from their version are ignored.

    Returns:
        The table of :func:`~mnist_kedro.metrics.runs.describe_runs`.
    """
    manifests = _load_by_run(all_run_manifests)
    own = {run: manifest for run, manifest in manifests.items() if manifest["id"] == run}
    return describe_runs(_load_by_run(all_metrics), own)


def _load_by_run(versions: Versions) -> dict[str, Any]:
    return {name.partition("/")[0]: load() for name, load in sorted(versions.items())}
