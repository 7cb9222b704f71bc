"""Train the ink finder, a network that finds ink in pictures."""

from mnist_kedro.pipelines.ink_finder.pipeline import create_pipeline

__all__ = ["create_pipeline"]
