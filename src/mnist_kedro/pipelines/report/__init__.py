"""Write the report and the model card."""

from mnist_kedro.pipelines.report.pipeline import create_pipeline

__all__ = ["create_pipeline"]
