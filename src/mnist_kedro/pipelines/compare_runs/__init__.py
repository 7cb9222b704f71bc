"""Compare all runs."""

from mnist_kedro.pipelines.compare_runs.pipeline import create_pipeline

__all__ = ["create_pipeline"]
