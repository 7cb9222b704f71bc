"""Load the logging configuration."""

from pathlib import Path
from typing import Any, cast

from kedro.utils import find_kedro_project
from omegaconf import OmegaConf


def load_logging_configuration() -> dict[str, Any]:
    """Load ``logging.yml`` of this package, with the changes of the project's ``conf/logging.yml``.

    Kedro itself looks for ``conf/logging.yml`` in the current folder only, so that a sub-folder, a
    notebook or a wheel would log in another way.
    """
    configuration: Any = OmegaConf.load(Path(__file__).parent / "logging.yml")
    changes = (find_kedro_project(Path.cwd()) or Path.cwd()) / "conf" / "logging.yml"
    if changes.is_file():
        configuration = OmegaConf.merge(configuration, OmegaConf.load(changes))
    return cast("dict[str, Any]", OmegaConf.to_container(configuration))
