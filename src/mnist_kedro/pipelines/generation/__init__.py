"""Generate any number of digits by augmenting MNIST."""

from mnist_kedro.pipelines.generation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
