"""Evaluate the networks on the test digits and draw what they do."""

from mnist_kedro.pipelines.reporting.pipeline import create_pipeline

__all__ = ["create_pipeline"]
