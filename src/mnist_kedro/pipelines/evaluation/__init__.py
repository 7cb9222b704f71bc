"""Evaluate the networks on the test split, and compare them."""

from mnist_kedro.pipelines.evaluation.pipeline import create_figures, create_pipeline

__all__ = ["create_figures", "create_pipeline"]
