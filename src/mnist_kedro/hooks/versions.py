"""Pin one version of each dataset during a run."""

from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.io.core import AbstractVersionedDataset, Version
from kedro.io.data_catalog import SharedMemoryDataCatalog
from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner

from mnist_kedro.datasets import PromotedModelDataset
from mnist_kedro.errors import InputError
from mnist_kedro.hooks.inputs import command_to_create
from mnist_kedro.hooks.matching_versions import (
    PROMOTED,
    check_lineage_is_known,
    choose_versions,
)
from mnist_kedro.lineage import Lineage, lineage_of


class VersionHooks:
    """Load the versions that the run itself saved, and one version of every other dataset.

    By default, Kedro loads the latest version each time, even if another run has just saved it.
    """

    def __init__(self) -> None:
        self.loaded: dict[str, str] = {}  # version of each dataset that this run loaded
        self.saved: dict[str, str] = {}  # version of each dataset that this run saved

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Choose matching versions of the inputs.

        Raises:
            InputError: if a version in ``--load-versions`` does not exist, if the run does not load
                this dataset, or if the inputs do not match.
        """
        self._catalog = catalog
        self.loaded, self.saved = {}, {}
        requested = run_params["load_versions"] or {}
        for name, version in requested.items():
            if name not in pipeline.inputs():
                _reject_version(name, pipeline)
            dataset = catalog.get(name)
            if isinstance(dataset, AbstractVersionedDataset) and not dataset.exists():
                raise InputError(
                    f"{name}: version {version} does not exist; {_existing_versions(dataset)}."
                )
        datasets = {name: catalog.get(name) for name in pipeline.inputs()}
        inputs = {
            name: dataset
            for name, dataset in datasets.items()
            if isinstance(dataset, AbstractVersionedDataset)
            and dataset.exists()
            and dataset.resolve_load_version() is not None  # None: not versioned
        }
        promoted = _promoted_versions(pipeline, catalog)
        served = (promoted.keys() & inputs.keys()) - requested.keys()
        for name in served:
            self._pin(name, inputs[name], promoted[name], {})
        chosen = choose_versions(
            inputs,
            [*requested, *served],
            lambda name: command_to_create([name], catalog, run_params.get("env")),
            _promoted_lineage(pipeline, catalog),
        )
        check_lineage_is_known(pipeline.nodes, chosen)
        for name, (version, _) in chosen.items():
            self._pin(name, inputs[name], version, {})
        if isinstance(catalog, SharedMemoryDataCatalog):
            if run_params["only_missing_outputs"]:
                select = SequentialRunner()._filter_pipeline_for_missing_outputs  # noqa: SLF001
                pipeline = select(pipeline, catalog)  # the runner will do the same
            self._pin_all(pipeline)

    def _pin_all(self, pipeline: Pipeline) -> None:
        """Pin all versions now, because ``ParallelRunner`` calls the other hooks in its workers."""
        for name in sorted(pipeline.all_outputs()):
            self.after_dataset_saved(name)
        for name in sorted(pipeline.all_inputs()):
            self.before_dataset_loaded(name)

    @hook_impl
    def before_dataset_loaded(self, dataset_name: str) -> None:
        """Pin the version that is loaded, for the rest of the run."""
        dataset = self._catalog.get(dataset_name)
        if isinstance(dataset, AbstractVersionedDataset):
            self._pin(dataset_name, dataset, dataset.resolve_load_version(), self.loaded)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str) -> None:
        """Pin the version that was saved, for the rest of the run."""
        dataset = self._catalog.get(dataset_name)
        if isinstance(dataset, AbstractVersionedDataset):
            self._pin(dataset_name, dataset, dataset.resolve_save_version(), self.saved)

    def _pin(
        self,
        name: str,
        dataset: AbstractVersionedDataset,
        version: str | None,
        record: dict[str, str],
    ) -> None:
        """Pin the version that a dataset loads; do nothing if the dataset is not versioned."""
        if version is not None:
            record[name] = version
            dataset._version = Version(version, dataset.resolve_save_version())  # noqa: SLF001


def _promoted_versions(pipeline: Pipeline, catalog: DataCatalog) -> dict[str, str]:
    """Return the version of the promoted model, if the run classifies pictures with it."""
    nodes = [node for node in pipeline.nodes if "inference" in node.tags]
    models = {name for node in nodes for name in node.inputs if name.endswith(".model")}
    promoted = catalog.get("promoted_model") if models else None
    decision = promoted.decision() if isinstance(promoted, PromotedModelDataset) else None
    if decision is None or decision["trained"] is None:
        return {}
    name, version = f"{decision['model']}.model", decision["trained"]
    dataset: Any = catalog.get(name) if name in models else None
    exists = dataset and dataset._copy(_version=Version(version, None)).exists()  # noqa: SLF001
    return {name: version} if exists else {}


def _promoted_lineage(pipeline: Pipeline, catalog: DataCatalog) -> Lineage | None:
    """Return the lineage of the served network's digits, if the run loads the network."""
    if PROMOTED not in pipeline.inputs():
        return None
    dataset: Any = catalog.get(PROMOTED)
    lineage = lineage_of(dataset.attributes())
    return {key: lineage[key] for key in ("data", "split") if key in lineage}


def _reject_version(name: str, pipeline: Pipeline) -> None:
    if name in pipeline.all_outputs():
        creator = next(node for node in pipeline.nodes if name in node.outputs)
        raise InputError(
            f"--load-versions {name} has no effect: '{creator.name}' of this run creates a new "
            "version; run pipelines that only load the dataset."
        )
    raise InputError(
        f"--load-versions {name} has no effect: no node of this run loads this dataset."
    )


def _existing_versions(dataset: AbstractVersionedDataset) -> str:
    """List the latest versions of a dataset, for an error message."""
    versions = dataset.list_versions(full_path=False)
    if not versions:
        return "the dataset has no versions"
    more = f" and {len(versions) - 5} earlier versions" if len(versions) > 5 else ""
    return f"existing versions: {', '.join(versions[:5])}{more}"
