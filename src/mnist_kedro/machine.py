"""Describe the code, packages and machine of a run."""

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_PACKAGES = (
    *("mnist_kedro", "kedro", "kedro-datasets", "tensorflow", "keras", "h5py"),
    *("numpy", "pandas", "scipy", "matplotlib", "seaborn"),
)
_CPUINFO = Path("/proc/cpuinfo")


def usable_cores() -> int:
    """Return the number of threads that this process should use.

    This is TensorFlow's limit if it is set, as on a Dask worker; otherwise the number of cores that
    the process may run on.
    """
    limit = int(os.environ.get("TF_NUM_INTRAOP_THREADS") or 0)
    if limit > 0:
        return limit
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def describe_code(project: Path) -> dict[str, Any]:
    """Return the project's git commit, and the versions of Python and of the main packages."""
    return {
        "git": _describe_git(project),
        "python": platform.python_version(),
        "packages": {name: _package_version(name) for name in _PACKAGES},
    }


def describe_machine() -> dict[str, Any]:
    """Return the operating system, the processor's name, and the number of cores."""
    return {
        "platform": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
    }


def processor() -> str:
    """Return the name of this machine's processor."""
    if _CPUINFO.exists():
        for line in _CPUINFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def peak_memory_mib() -> int | None:
    """Return the peak resident memory of this process in MiB; None on Windows."""
    try:
        import resource  # noqa: PLC0415
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 2**20 if sys.platform == "darwin" else peak / 2**10)


def _describe_git(project: Path) -> dict[str, Any] | None:
    """Return the commit, and whether tracked files have been modified; None without git."""
    try:
        commit, changes = (
            subprocess.run(  # noqa: S603
                ["git", *command],  # noqa: S607
                cwd=project,
                capture_output=True,
                text=True,
                check=True,
            ).stdout.strip()
            for command in (["rev-parse", "HEAD"], ["status", "--porcelain", "-uno"])
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return {"commit": commit, "modified": bool(changes)}


def _package_version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
