"""Find the project's folder and its configuration."""

from pathlib import Path

from kedro.utils import find_kedro_project


def project_folder() -> Path:
    """Return the project that the current folder lies in; outside of a project, that folder."""
    return find_kedro_project(Path.cwd()) or Path.cwd()


def find_configuration() -> str:
    """Return ``conf`` if the project's folder has one, else the copy of it that a wheel has."""
    copy = Path(__file__).parent / "conf"
    is_in_folder = (project_folder() / "conf" / "base").is_dir()
    return str(copy) if copy.is_dir() and not is_in_folder else "conf"
