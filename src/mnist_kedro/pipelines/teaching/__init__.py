"""Fine-tune the served network on corrections."""

from mnist_kedro.pipelines.teaching.pipeline import create_pipeline

__all__ = ["create_pipeline"]
