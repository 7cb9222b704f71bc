"""Make any number of digits like MNIST's."""

from mnist_kedro.pipelines.generation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
