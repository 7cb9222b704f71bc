"""The pipeline that trains the network that tells digits from everything else."""

from mnist_kedro.pipelines.digit_detector.pipeline import create_pipeline

__all__ = ["create_pipeline"]
