"""Project settings; see https://docs.kedro.org/en/stable/configure/configuration_basics/."""

import warnings

from mnist_kedro.datasets import atomic_filesystem
from mnist_kedro.hooks import (
    CheckpointHooks,
    InputHooks,
    ManifestHooks,
    MlflowHooks,
    OutputHooks,
    ParameterHooks,
    ProgressHooks,
    RunnerHooks,
    VersionHooks,
)

_progress = ProgressHooks()

HOOKS = (
    RunnerHooks(),
    OutputHooks(),
    InputHooks(),
    VersionHooks(),
    ParameterHooks(),
    _progress,
    CheckpointHooks(),
    ManifestHooks(_progress),
    MlflowHooks(),
)

# Nothing is sent anywhere; `.telemetry` says the same to Kedro's command line. MlflowHooks has
# kedro-mlflow at work where it is asked for.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-telemetry", "kedro_mlflow")

CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "config_patterns": {"mlflow": ["mlflow*"]},
    # An environment names only the parameters that it changes.
    "merge_strategy": {"parameters": "soft", "globals": "soft"},
}

# "cnn.predictions" stands for the namespace "cnn", also where a node outside it reads it.
warnings.filterwarnings("ignore", r"One or more dataset names contain '\.'", UserWarning)

# Kedro 1.7 calls a function that omegaconf 2.4 deprecates, on every run.
warnings.filterwarnings("ignore", r"register_new_resolver\(\) is deprecated", UserWarning)

# Kedro-Viz draws the networks by it.
warnings.filterwarnings("ignore", "The 'preview_fn' feature is experimental", UserWarning)

atomic_filesystem.register()
