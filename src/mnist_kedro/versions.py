"""Find the versions of a dataset on disk, where Kedro saves them as ``<path>/<version>/<name>``."""

from pathlib import Path


def list_versions(path: Path) -> list[str]:
    """List the versions of a dataset, the latest first.

    Args:
        path: of the dataset, without a version.

    Returns:
        The versions; empty if the dataset has none, or is not versioned.
    """
    if not path.is_dir():
        return []
    versions = [folder.name for folder in path.iterdir() if (folder / path.name).exists()]
    return sorted(versions, reverse=True)


def version_path(path: Path, version: str) -> Path:
    """Return the path of one version of a dataset."""
    return path / version / path.name


def latest_version(path: Path) -> Path:
    """Return the path of the latest version of a dataset; of anything else, the path itself."""
    versions = list_versions(path)
    return version_path(path, versions[0]) if versions else path
