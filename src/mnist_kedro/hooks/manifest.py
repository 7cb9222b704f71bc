"""Record what each run used, what it made, and what it cost."""

from datetime import UTC, datetime
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog, MemoryDataset
from kedro.io.core import AbstractVersionedDataset
from kedro.io.data_catalog import SharedMemoryDataCatalog
from kedro.pipeline import Pipeline

from mnist_kedro.contracts import Provenance, provenance
from mnist_kedro.datasets import HDF5Dataset
from mnist_kedro.hooks.progress import ProgressHooks
from mnist_kedro.machine import describe_code, describe_machine, peak_memory_mib

# The options of a run that determine what it does.
_OPTIONS = (
    *("env", "pipeline_names", "tags", "from_nodes", "to_nodes", "node_names", "from_inputs"),
    *("to_outputs", "load_versions", "runtime_params", "only_missing_outputs", "runner"),
)


class ManifestHooks:
    """Provide the dataset ``run`` to nodes, and save ``run_manifest`` when the run has ended."""

    def __init__(self, progress: ProgressHooks) -> None:
        """Take the time of each node from ``progress``."""
        self._progress = progress

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember the configuration of the run."""
        self._project = context.project_path
        self._environment = context.env
        self._parameters = context.config_loader["parameters"]

    @hook_impl
    def after_catalog_created(self, catalog: DataCatalog, save_version: str) -> None:
        """Provide the dataset ``run``: the run's id, parameters, code and machine."""
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
        """Record the version of a dataset, and where the digits in it come from."""
        dataset = self._catalog.get(dataset_name)
        if isinstance(dataset, AbstractVersionedDataset):
            self._loaded[dataset_name] = dataset.resolve_load_version()
        # From the file: the data may have been loaded on another machine.
        if isinstance(dataset, HDF5Dataset):
            attributes = dataset.attributes()
            if attributes.keys() >= Provenance.__annotations__.keys():
                self._data = {**provenance(attributes)}

    @hook_impl
    def after_dataset_saved(self, dataset_name: str) -> None:
        """Record the version of a dataset."""
        dataset = self._catalog.get(dataset_name)
        if isinstance(dataset, AbstractVersionedDataset):
            self._saved[dataset_name] = dataset.resolve_save_version()

    @hook_impl
    def after_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Save the manifest, unless all nodes were skipped."""
        if isinstance(catalog, SharedMemoryDataCatalog):
            self._record_all(pipeline)
        if not (self._progress.seconds or self._saved):
            return
        catalog.save(
            "run_manifest",
            {
                **self._run,
                "asked": {key: run_params[key] for key in _OPTIONS if run_params.get(key)},
                "began": self._began.isoformat(timespec="seconds"),
                "seconds": round((datetime.now(UTC) - self._began).total_seconds(), 3),
                "peak_memory_mib": peak_memory_mib(),
                "data": self._data,
                "loaded": self._loaded,
                "saved": self._saved,
                "node_seconds": {name: round(s, 3) for name, s in self._progress.seconds.items()},
            },
        )

    def _record_all(self, pipeline: Pipeline) -> None:
        """Record all datasets: ``ParallelRunner`` calls the dataset hooks in its processes."""
        made = pipeline.all_outputs()
        for name in sorted(pipeline.datasets()):
            dataset = self._catalog.get(name)
            if isinstance(dataset, AbstractVersionedDataset) and dataset.exists():
                if name in made:
                    self.after_dataset_saved(name)
                if any(name in node.inputs for node in pipeline.nodes):
                    self.after_dataset_loaded(name)
