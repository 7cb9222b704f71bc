"""Evaluate the networks on corrupted digits and on out-of-distribution images."""

from mnist_kedro.pipelines.robustness.pipeline import create_figures, create_pipeline

__all__ = ["create_figures", "create_pipeline"]
