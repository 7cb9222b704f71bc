"""Export models to formats that other programs can run."""

from mnist_kedro.pipelines.export.pipeline import create_pipeline

__all__ = ["create_pipeline"]
