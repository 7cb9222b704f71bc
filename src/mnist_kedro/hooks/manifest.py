"""Record the inputs, outputs, duration and memory of each run."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog, MemoryDataset

from mnist_kedro.contracts import Provenance, provenance
from mnist_kedro.datasets import HDF5Dataset, PromotedModelDataset
from mnist_kedro.hooks.progress import ProgressHooks
from mnist_kedro.hooks.versions import VersionHooks
from mnist_kedro.machine import describe_code, describe_machine, peak_memory_mib
from mnist_kedro.remote_store import without_secrets

# The options of ``kedro run`` that are recorded.
_OPTIONS = (
    *("env", "pipeline_names", "tags", "from_nodes", "to_nodes", "node_names", "from_inputs"),
    *("to_outputs", "load_versions", "runtime_params", "only_missing_outputs", "runner"),
)


class ManifestHooks:
    """Provide the dataset ``run`` to nodes, and save ``run_manifest`` after the run."""

    def __init__(self, progress: ProgressHooks, versions: VersionHooks) -> None:
        """Read the times of the nodes from ``progress``, and the versions from ``versions``."""
        self._progress, self._versions = progress, versions

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Store the configuration of the run."""
        self._project = context.project_path
        self._environment = context.env
        self._parameters = without_secrets(context.config_loader["parameters"])

    @hook_impl
    def after_catalog_created(self, catalog: DataCatalog, save_version: str) -> None:
        """Provide the dataset ``run``: the run's id, parameters, code and machine."""
        self._run = {
            "id": save_version,
            "environment": self._environment,
            **describe_code(self._project),
            **describe_machine(),
            "served": _promotion_decision(catalog),
            "parameters": self._parameters,
        }
        catalog["run"] = MemoryDataset(self._run)

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self) -> None:
        """Start the clock."""
        self._began = datetime.now(UTC)

    @hook_impl
    def after_pipeline_run(self, run_params: dict[str, Any], catalog: DataCatalog) -> None:
        """Save the manifest, unless all nodes were skipped."""
        loaded, saved = self._versions.loaded, self._versions.saved
        if not (self._progress.seconds or saved):
            return
        catalog.save(
            "run_manifest",
            {
                **self._run,
                "asked": without_secrets(
                    {key: run_params[key] for key in _OPTIONS if run_params.get(key)}
                ),
                "began": self._began.isoformat(timespec="seconds"),
                "seconds": round((datetime.now(UTC) - self._began).total_seconds(), 3),
                "peak_memory_mib": peak_memory_mib(),
                "data": _provenance(catalog, loaded),
                "loaded": loaded,
                "saved": saved,
                "node_seconds": {name: round(s, 3) for name, s in self._progress.seconds.items()},
            },
        )


def _promotion_decision(catalog: DataCatalog) -> Mapping[str, Any] | None:
    """Return the promotion decision of the served model; None if no model is promoted."""
    promoted = catalog.get("promoted_model")
    return promoted.decision() if isinstance(promoted, PromotedModelDataset) else None


def _provenance(catalog: DataCatalog, loaded: Iterable[str]) -> dict[str, Any]:
    """Return the provenance of the loaded digits; empty if no dataset with digits was loaded."""
    for name in loaded:
        dataset = catalog.get(name)
        if isinstance(dataset, HDF5Dataset):
            attributes = dataset.attributes()
            if attributes.keys() >= Provenance.__annotations__.keys() - {"warnings"}:
                return {**provenance(attributes)}
    return {}
