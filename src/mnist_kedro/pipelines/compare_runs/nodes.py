"""Nodes of the ``compare_runs`` pipeline."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from mnist_kedro.evaluation.runs import describe_runs
from mnist_kedro.plots.runs import plot_runs

Versions = Mapping[str, Callable[[], Any]]  # what PartitionedDataset gives


def tabulate_runs(all_metrics: Versions, all_run_manifests: Versions) -> pd.DataFrame:
    """How well each model of each run reads the test digits, and what the run did otherwise.

    Args:
        all_metrics: those of every run, under ``<run>/metrics``.
        all_run_manifests: under ``<run>/run_manifest``; of some runs there may be none.

    Returns:
        As :func:`~mnist_kedro.evaluation.runs.describe_runs` has it.
    """
    return describe_runs(_by_run(all_metrics), _by_run(all_run_manifests))


def draw_runs(runs: pd.DataFrame) -> Figure:
    """The accuracy of each run, and what changed."""
    return plot_runs(runs.fillna({"changed": ""}))


def _by_run(versions: Versions) -> dict[str, Any]:
    return {name.partition("/")[0]: load() for name, load in sorted(versions.items())}
