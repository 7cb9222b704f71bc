"""What a run reads and leaves behind."""

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.io.core import AbstractVersionedDataset, Version
from kedro.pipeline import Pipeline

from mnist_kedro.datasets import CheckpointsDataset


class VersionHooks:
    """Two runs at once never mix: a run loads what it saved, and of all else one version.

    Kedro takes the latest version at each load, which may be another run's by then.
    """

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, catalog: DataCatalog) -> None:
        """Remember the catalog of this run."""
        self._catalog = catalog

    @hook_impl
    def before_dataset_loaded(self, dataset_name: str) -> None:
        """The first version that is loaded is the one for all of the run."""
        dataset = self._catalog.get(dataset_name)
        if isinstance(dataset, AbstractVersionedDataset):
            pin_version(dataset, dataset.resolve_load_version())

    @hook_impl
    def after_dataset_saved(self, dataset_name: str) -> None:
        """What the run saved is what it loads."""
        dataset = self._catalog.get(dataset_name)
        if isinstance(dataset, AbstractVersionedDataset):
            pin_version(dataset, dataset.resolve_save_version())


def pin_version(dataset: AbstractVersionedDataset, version: str | None) -> None:
    """Make a dataset load this version from now on, if it has versions."""
    if version is not None:
        dataset._version = Version(version, dataset.resolve_save_version())  # noqa: SLF001


class CheckpointHooks:
    """A run that is done needs the checkpoints of its trainings no more."""

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Remove them."""
        for name in pipeline.inputs():
            dataset = catalog.get(name)
            if isinstance(dataset, CheckpointsDataset):
                dataset.load().remove_used()
