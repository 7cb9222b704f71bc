"""Hooks, one class a file; ``settings.py`` lists them in the order in which they are registered.

They check a run before it starts, keep it to one version of each dataset, record it, and sum
it up. The only data that they make is the dataset ``run``, which describes the run.
"""

from mnist_kedro.hooks.checkpoints import CheckpointHooks
from mnist_kedro.hooks.inputs import InputHooks
from mnist_kedro.hooks.lock import LockHooks
from mnist_kedro.hooks.manifest import ManifestHooks
from mnist_kedro.hooks.mlflow import MlflowHooks
from mnist_kedro.hooks.outputs import OutputHooks
from mnist_kedro.hooks.parameters import ParameterHooks
from mnist_kedro.hooks.progress import ProgressHooks
from mnist_kedro.hooks.runners import RunnerHooks
from mnist_kedro.hooks.summary import SummaryHooks
from mnist_kedro.hooks.versions import VersionHooks

__all__ = [
    "CheckpointHooks",
    "InputHooks",
    "LockHooks",
    "ManifestHooks",
    "MlflowHooks",
    "OutputHooks",
    "ParameterHooks",
    "ProgressHooks",
    "RunnerHooks",
    "SummaryHooks",
    "VersionHooks",
]
