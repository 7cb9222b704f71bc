"""Train the networks."""

from mnist_kedro.pipelines.training.pipeline import create_pipeline

__all__ = ["create_pipeline"]
