"""Each run writes up what it was made of, what it made and what it cost."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog, MemoryDataset
from kedro.io.core import AbstractVersionedDataset

from mnist_kedro.contracts import Provenance, provenance
from mnist_kedro.datasets import HDF5Dataset
from mnist_kedro.hooks.progress import ProgressHooks

_PACKAGES = (
    *("mnist_kedro", "kedro", "kedro-datasets", "tensorflow", "keras", "h5py"),
    *("numpy", "pandas", "scipy", "matplotlib", "seaborn"),
)
# Of what a run is asked for, what says what it is to do.
_ASKED = (
    *("env", "pipeline_names", "tags", "from_nodes", "to_nodes", "node_names", "from_inputs"),
    *("to_outputs", "load_versions", "runtime_params", "only_missing_outputs", "runner"),
)
_CPUINFO = Path("/proc/cpuinfo")


class ManifestHooks:
    """``run`` tells nodes what a run is made of; ``run_manifest`` keeps that, and what it did."""

    def __init__(self, progress: ProgressHooks) -> None:
        """``progress`` has the clock."""
        self._progress = progress

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember what the run is asked for."""
        self._project = context.project_path
        self._environment = context.env
        self._parameters = context.config_loader["parameters"]

    @hook_impl
    def after_catalog_created(self, catalog: DataCatalog, save_version: str) -> None:
        """Tell the nodes."""
        self._run = {
            "id": save_version,
            "environment": self._environment,
            **describe_code(self._project),
            **describe_machine(),
            "parameters": self._parameters,
        }
        catalog["run"] = MemoryDataset(self._run)

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, catalog: DataCatalog) -> None:
        """Start the clock."""
        self._catalog = catalog
        self._began = datetime.now(UTC)
        self._data: dict[str, Any] = {}
        self._loaded: dict[str, str | None] = {}
        self._saved: dict[str, str | None] = {}

    @hook_impl(trylast=True)
    def after_dataset_loaded(self, dataset_name: str) -> None:
        """Note its version, and where the digits in it are from."""
        dataset = self._catalog.get(dataset_name)
        if isinstance(dataset, AbstractVersionedDataset):
            self._loaded[dataset_name] = dataset.resolve_load_version()
        # As stored, not as loaded: a node may have loaded it on another machine.
        if isinstance(dataset, HDF5Dataset):
            stored = dataset.attributes()
            if stored.keys() >= Provenance.__annotations__.keys():
                self._data = {**provenance(stored)}

    @hook_impl
    def after_dataset_saved(self, dataset_name: str) -> None:
        """Note its version."""
        dataset = self._catalog.get(dataset_name)
        if isinstance(dataset, AbstractVersionedDataset):
            self._saved[dataset_name] = dataset.resolve_save_version()

    @hook_impl
    def after_pipeline_run(self, run_params: dict[str, Any], catalog: DataCatalog) -> None:
        """Write it all up, if anything was done."""
        if not self._progress.seconds:
            return
        catalog.save(
            "run_manifest",
            {
                **self._run,
                "asked": {key: run_params[key] for key in _ASKED if run_params.get(key)},
                "began": self._began.isoformat(timespec="seconds"),
                "seconds": round((datetime.now(UTC) - self._began).total_seconds(), 3),
                "peak_memory_mib": _peak_memory_mib(),
                "data": self._data,
                "loaded": self._loaded,
                "saved": self._saved,
                "node_seconds": {name: round(s, 3) for name, s in self._progress.seconds.items()},
            },
        )


def describe_code(project: Path) -> dict[str, Any]:
    """The commit of a project's folder, and the packages."""
    return {
        "git": _describe_git(project),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
    }


def describe_machine() -> dict[str, Any]:
    """Where it runs."""
    return {
        "platform": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
    }


def _describe_git(project: Path) -> dict[str, Any] | None:
    """The commit, and whether files that git knows were changed since; None without git."""
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


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def processor() -> str:
    """The name of this machine's processor."""
    if _CPUINFO.exists():
        for line in _CPUINFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _peak_memory_mib() -> int | None:
    """Of this process since it started; not known on Windows."""
    try:
        import resource  # noqa: PLC0415
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 2**20 if sys.platform == "darwin" else peak / 2**10)
