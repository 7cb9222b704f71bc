"""Find the project's folder."""

from pathlib import Path

from kedro.utils import find_kedro_project


def project_folder() -> Path:
    """Return the project that the current folder lies in; outside of a project, that folder."""
    return find_kedro_project(Path.cwd()) or Path.cwd()
