"""Train the digit detector, a network that distinguishes digits from other images."""

from mnist_kedro.pipelines.digit_detector.pipeline import create_pipeline

__all__ = ["create_pipeline"]
