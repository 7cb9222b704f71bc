"""Search for better training parameters."""

from mnist_kedro.pipelines.tuning.pipeline import create_pipeline

__all__ = ["create_pipeline"]
