"""Remove checkpoints that are no longer needed."""

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from mnist_kedro.datasets import CheckpointsDataset


class CheckpointHooks:
    """Remove the checkpoints of a run after it has succeeded."""

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Remove the checkpoints that this run wrote or resumed from."""
        for name in pipeline.inputs():
            dataset = catalog.get(name)
            if isinstance(dataset, CheckpointsDataset):
                dataset.load().remove_used()
