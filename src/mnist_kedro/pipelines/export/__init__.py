"""Make models ready for use elsewhere."""

from mnist_kedro.pipelines.export.pipeline import create_pipeline

__all__ = ["create_pipeline"]
