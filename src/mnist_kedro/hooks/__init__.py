"""Define Kedro hooks, one class per file; ``settings.py`` registers them in order.

The hooks check a run before it starts, pin one version of each dataset, and record and summarize
the run. They provide only one dataset to nodes, ``run``, and save only one, ``run_manifest``.
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
