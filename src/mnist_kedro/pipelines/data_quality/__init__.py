"""Check the quality of the ingested digits."""

from mnist_kedro.pipelines.data_quality.pipeline import create_pipeline

__all__ = ["create_pipeline"]
