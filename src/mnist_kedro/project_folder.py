"""Find the project's folder and its configuration."""

from pathlib import Path

from kedro.utils import find_kedro_project


def project_folder() -> Path:
    """Return the folder of the current Kedro project, or the current folder if it is in none."""
    return find_kedro_project(Path.cwd()) or Path.cwd()


def find_configuration() -> str:
    """Return ``conf`` if the project has this folder, otherwise the path of the wheel's copy."""
    copy = Path(__file__).parent / "conf"
    is_in_folder = (project_folder() / "conf" / "base").is_dir()
    return str(copy) if copy.is_dir() and not is_in_folder else "conf"
