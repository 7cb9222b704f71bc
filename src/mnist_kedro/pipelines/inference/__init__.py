"""Classify the user's own pictures."""

from mnist_kedro.pipelines.inference.pipeline import create_pipeline

__all__ = ["create_pipeline"]
