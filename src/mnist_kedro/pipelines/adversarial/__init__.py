"""Attack the networks with adversarial examples."""

from mnist_kedro.pipelines.adversarial.pipeline import create_pipeline

__all__ = ["create_pipeline"]
