"""A run that cannot work says so before it starts."""

import logging
import tempfile
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import DataCatalog
from kedro.io.core import AbstractVersionedDataset, get_protocol_and_path, is_parameter
from kedro.pipeline import Pipeline

from mnist_kedro.errors import InputError
from mnist_kedro.hooks.versions import pin_version
from mnist_kedro.parameters import IngestionParameters, Parameters, check_parameters
from mnist_kedro.pipeline_registry import PipelineShape, register_pipelines
from mnist_kedro.pipelines.ingestion.nodes import ingest_mnist

logger = logging.getLogger(__name__)


class ParameterHooks:
    """Wrong parameters stop a run before anything else happens."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Check every parameter, also those of pipelines that are not run."""
        check_parameters(context.config_loader["parameters"])


class PipelineHooks:
    """The pipelines have the nodes that a run's parameters ask for."""

    @hook_impl(trylast=True)  # the parameters are checked first
    def after_context_created(self, context: KedroContext) -> None:
        """Register them, now that the parameters are known."""
        parameters = Parameters.model_validate(context.config_loader["parameters"])
        pipelines.update(register_pipelines(PipelineShape.of(parameters)))


class OutputHooks:
    """A run that cannot save says so before it starts, not after the training."""

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Try to write where the outputs go.

        Raises:
            InputError: naming the folder and the dataset.
        """
        tried = set()
        for name in sorted(pipeline.all_outputs()):
            # As configured: the datasets themselves may import TensorFlow, which takes seconds.
            filepath = catalog.config_resolver.resolve_pattern(name).get("filepath", "memory://")
            protocol, path = get_protocol_and_path(filepath)
            folder = _nearest_folder(Path(path))
            if protocol != "file" or folder in tried:
                continue
            tried.add(folder)
            try:
                tempfile.TemporaryFile(dir=folder).close()
            except OSError as error:
                raise InputError(
                    f"{folder}: cannot be written ({error.strerror}), but '{name}' is saved there."
                ) from error


def _nearest_folder(path: Path) -> Path:
    """The first folder there is, on the way up, of those that a file will lie in."""
    for folder in path.absolute().parents:
        try:
            if folder.is_dir():
                return folder
        except PermissionError:  # the folder above may not be looked into
            continue
    return Path("/")


class InputHooks:
    """A run has what it needs, or says what is missing before it starts."""

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Ingest ``mnist`` when there is none or another one is asked for; check other inputs.

        Raises:
            InputError: when an input was not made yet.
        """
        inputs = {name for name in pipeline.inputs() if not is_parameter(name)}
        asked = "ingestion" in (run_params["runtime_params"] or {})
        if "mnist" in inputs and (asked or not catalog.exists("mnist")):
            why = "its parameters were given" if asked else "there is no 'mnist' yet"
            logger.info("Running 'ingestion' first: %s.", why)
            # Kedro types the parameters of the pipelines that were asked for, so not these.
            parameters = IngestionParameters.model_validate(catalog.load("params:ingestion"))
            catalog.save("mnist", ingest_mnist(parameters))
            mnist = catalog.get("mnist")
            if isinstance(mnist, AbstractVersionedDataset):
                pin_version(mnist, mnist.resolve_save_version())
        missing = sorted(name for name in inputs if not catalog.exists(name))
        if missing:
            from kedro_datasets.partitions import PartitionedDataset  # noqa: PLC0415  (0.2 s)

            command = f"kedro run --env {run_params['env']}" if run_params["env"] else "kedro run"
            gathered = [isinstance(catalog.get(name), PartitionedDataset) for name in missing]
            if not any(gathered):  # those are of all runs, and no node's output
                command += f" --to-outputs {','.join(missing)}"
            raise InputError(
                f"{', '.join(missing)}: not there, but needed by this run; make it with "
                f"'{command}'."
            )
