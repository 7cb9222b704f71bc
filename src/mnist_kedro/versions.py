"""Find the versions of a dataset on disk; Kedro saves them as ``<path>/<version>/<name>``."""

from collections.abc import Iterator
from pathlib import Path


def find_versions(path: Path) -> Iterator[str]:
    """Yield the versions of a dataset, the latest first.

    Args:
        path: path of the dataset, without the version.

    Yields:
        The versions; nothing if the dataset does not exist or is not versioned.
    """
    folders = path.iterdir() if path.is_dir() else ()
    for version in sorted((folder.name for folder in folders), reverse=True):
        if version_path(path, version).exists():
            yield version


def version_path(path: Path, version: str) -> Path:
    """Return the path of one version of a dataset."""
    return path / version / path.name


def latest_version(path: Path) -> Path:
    """Return the path of a dataset's latest version, or ``path`` if it is not versioned."""
    version = next(find_versions(path), None)
    return version_path(path, version) if version else path
