"""Load and change the logging configuration."""

from pathlib import Path
from typing import Any, cast

from kedro.framework.project import LOGGING, configure_logging
from omegaconf import OmegaConf

from mnist_kedro.project_folder import project_folder


def load_logging_configuration() -> dict[str, Any]:
    """Load this package's ``logging.yml``, and merge the project's ``conf/logging.yml``.

    Kedro itself looks for ``conf/logging.yml`` only in the current folder, so the log would look
    different in a subfolder, in a notebook, or with a wheel.
    """
    configuration: Any = OmegaConf.load(Path(__file__).parent / "logging.yml")
    changes = project_folder() / "conf" / "logging.yml"
    if changes.is_file():
        configuration = OmegaConf.merge(configuration, OmegaConf.load(changes))
    return cast("dict[str, Any]", OmegaConf.to_container(configuration))


def log_details() -> None:
    """Also log this package's DEBUG messages, including those of processes that Kedro starts."""
    details = {"mnist_kedro": {"level": "DEBUG"}}
    configure_logging({**LOGGING, "loggers": LOGGING.get("loggers", {}) | details})
