"""What happens around every run: checks, versions, progress, and a manifest of it."""

from mnist_kedro.hooks.checks import InputHooks, OutputHooks, ParameterHooks, PipelineHooks
from mnist_kedro.hooks.manifest import ManifestHooks
from mnist_kedro.hooks.mlflow import MlflowHooks
from mnist_kedro.hooks.progress import ProgressHooks
from mnist_kedro.hooks.versions import CheckpointHooks, VersionHooks

__all__ = [
    "CheckpointHooks",
    "InputHooks",
    "ManifestHooks",
    "MlflowHooks",
    "OutputHooks",
    "ParameterHooks",
    "PipelineHooks",
    "ProgressHooks",
    "VersionHooks",
]
