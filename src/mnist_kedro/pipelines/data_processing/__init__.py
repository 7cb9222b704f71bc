"""Split MNIST into training, validation and test digits."""

from mnist_kedro.pipelines.data_processing.pipeline import create_pipeline

__all__ = ["create_pipeline"]
