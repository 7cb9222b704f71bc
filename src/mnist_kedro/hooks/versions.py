"""Keep a run to one version of each dataset."""

from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.io.core import AbstractVersionedDataset, Version
from kedro.io.data_catalog import SharedMemoryDataCatalog
from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner

from mnist_kedro.datasets import PromotedModelDataset
from mnist_kedro.errors import InputError
from mnist_kedro.hooks.families import PROMOTED, check_known, choose_versions
from mnist_kedro.hooks.inputs import command_that_makes
from mnist_kedro.lineage import Lineage, lineage_of


class VersionHooks:
    """Load what the run saved, and one version of everything else.

    Kedro loads the latest version each time, which another run may have saved in the meantime.
    """

    def __init__(self) -> None:
        self.loaded: dict[str, str] = {}  # versions in this run, by dataset
        self.saved: dict[str, str] = {}

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Choose versions of the inputs that belong together.

        Raises:
            InputError: if a version was asked for with ``--load-versions``, but does not exist, or
                the run does not load the dataset; or if the inputs do not belong together.
        """
        self._catalog = catalog
        self.loaded, self.saved = {}, {}
        asked = run_params["load_versions"] or {}
        for name, version in asked.items():
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
            and dataset.resolve_load_version() is not None  # it is versioned
        }
        promoted = _promoted_versions(pipeline, catalog)
        served = (promoted.keys() & inputs.keys()) - asked.keys()
        for name in served:
            self._pin(name, inputs[name], promoted[name], {})
        chosen = choose_versions(
            inputs,
            [*asked, *served],
            lambda name: command_that_makes([name], catalog, run_params.get("env")),
            _promoted_lineage(pipeline, catalog),
        )
        check_known(pipeline.nodes, chosen)
        for name, (version, _) in chosen.items():
            self._pin(name, inputs[name], version, {})
        if isinstance(catalog, SharedMemoryDataCatalog):
            if run_params["only_missing_outputs"]:
                select = SequentialRunner()._filter_pipeline_for_missing_outputs  # noqa: SLF001
                pipeline = select(pipeline, catalog)  # as the runner will
            self._pin_all(pipeline)

    def _pin_all(self, pipeline: Pipeline) -> None:
        """Choose all versions now: ``ParallelRunner`` calls the other hooks in its processes."""
        for name in sorted(pipeline.all_outputs()):
            self.after_dataset_saved(name)
        for name in sorted(pipeline.all_inputs()):
            self.before_dataset_loaded(name)

    @hook_impl
    def before_dataset_loaded(self, dataset_name: str) -> None:
        """Load the same version of a dataset from now on."""
        dataset = self._catalog.get(dataset_name)
        if isinstance(dataset, AbstractVersionedDataset):
            self._pin(dataset_name, dataset, dataset.resolve_load_version(), self.loaded)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str) -> None:
        """Load the saved version from now on."""
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
        """Make a dataset load one version; do nothing if the dataset is not versioned."""
        if version is not None:
            record[name] = version
            dataset._version = Version(version, dataset.resolve_save_version())  # noqa: SLF001


def _promoted_versions(pipeline: Pipeline, catalog: DataCatalog) -> dict[str, str]:
    """Return the version of the promoted model if the run classifies pictures with that model."""
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
    """Return the lineage of the digits of the network that is served, if the run loads it."""
    if PROMOTED not in pipeline.inputs():
        return None
    dataset: Any = catalog.get(PROMOTED)
    lineage = lineage_of(dataset.attributes())
    return {key: lineage[key] for key in ("data", "split") if key in lineage}


def _reject_version(name: str, pipeline: Pipeline) -> None:
    if name in pipeline.all_outputs():
        maker = next(node for node in pipeline.nodes if name in node.outputs)
        raise InputError(
            f"--load-versions {name} has no effect: '{maker.name}' of this run makes a new "
            "version; run pipelines that only load it."
        )
    raise InputError(f"--load-versions {name} has no effect: no node of this run loads it.")


def _existing_versions(dataset: AbstractVersionedDataset) -> str:
    """List the latest versions of a dataset, for a message."""
    versions = dataset.list_versions(full_path=False)
    if not versions:
        return "there are no versions"
    more = f" and {len(versions) - 5} earlier ones" if len(versions) > 5 else ""
    return f"there are {', '.join(versions[:5])}{more}"
