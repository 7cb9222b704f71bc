"""Define the project settings; see https://docs.kedro.org/en/stable/configure/configuration_basics/."""

import os
import warnings

from kedro.framework.project import configure_logging

from mnist_kedro.datasets import atomic_filesystem
from mnist_kedro.hooks import (
    CheckpointHooks,
    InputHooks,
    LockHooks,
    ManifestHooks,
    MlflowHooks,
    OutputHooks,
    ParameterHooks,
    ProgressHooks,
    RunnerHooks,
    SummaryHooks,
    VersionHooks,
)
from mnist_kedro.logs import load_logging_configuration
from mnist_kedro.project_folder import find_configuration
from mnist_kedro.session_store import SessionStore

_progress, _versions = ProgressHooks(), VersionHooks()

HOOKS = (
    RunnerHooks(),
    OutputHooks(),
    InputHooks(),
    _versions,
    LockHooks(),
    ParameterHooks(),
    _progress,
    SummaryHooks(_versions),  # called after ManifestHooks: Kedro calls the last hook first
    CheckpointHooks(),
    ManifestHooks(_progress, _versions),
    MlflowHooks(),
)

# Telemetry is disabled, also for Kedro's command line (`.telemetry`). MlflowHooks calls
# kedro-mlflow in environments that have an mlflow.yml.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-telemetry", "kedro_mlflow")

SESSION_STORE_CLASS = SessionStore  # unique run ids

CONF_SOURCE = find_configuration()

CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "config_patterns": {"mlflow": ["mlflow*"]},
    # An environment contains only the parameters that it changes.
    "merge_strategy": {"parameters": "soft", "globals": "soft"},
}

if "KEDRO_LOGGING_CONFIG" not in os.environ:
    configure_logging(load_logging_configuration())

# Kedro warns that "cnn.predictions" looks like a dataset of the namespace "cnn".
warnings.filterwarnings("ignore", r"One or more dataset names contain '\.'", UserWarning)

# In every run, Kedro 1.7 calls a function that is deprecated in omegaconf 2.4.
warnings.filterwarnings("ignore", r"register_new_resolver\(\) is deprecated", UserWarning)

# This feature draws the networks in Kedro-Viz.
warnings.filterwarnings("ignore", "The 'preview_fn' feature is experimental", UserWarning)

# On every start, Kedro-Viz 12.5 uses a class that is deprecated in FastAPI.
warnings.filterwarnings("ignore", "ORJSONResponse is deprecated")

atomic_filesystem.register()
