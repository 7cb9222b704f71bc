"""Visualize the augmented training digits of a network, and what it has learned."""

from mnist_kedro.pipelines.interpretation.pipeline import create_figures, create_pipeline

__all__ = ["create_figures", "create_pipeline"]
