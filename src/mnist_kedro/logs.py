"""Load and change the logging configuration."""

from pathlib import Path
from typing import Any, cast

from kedro.framework.project import LOGGING, configure_logging
from omegaconf import OmegaConf

from mnist_kedro.project_folder import project_folder


def load_logging_configuration() -> dict[str, Any]:
    """Load ``logging.yml`` of this package, with the changes of the project's ``conf/logging.yml``.

    Kedro itself looks for ``conf/logging.yml`` in the current folder only, so that a sub-folder, a
    notebook or a wheel would log in another way.
    """
    configuration: Any = OmegaConf.load(Path(__file__).parent / "logging.yml")
    changes = project_folder() / "conf" / "logging.yml"
    if changes.is_file():
        configuration = OmegaConf.merge(configuration, OmegaConf.load(changes))
    return cast("dict[str, Any]", OmegaConf.to_container(configuration))


def log_details() -> None:
    """Log this package's messages of level DEBUG, too, also in processes that Kedro starts."""
    details = {"mnist_kedro": {"level": "DEBUG"}}
    configure_logging({**LOGGING, "loggers": LOGGING.get("loggers", {}) | details})
