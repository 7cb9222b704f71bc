"""Runs logged to MLflow, where an environment has an ``mlflow.yml``."""

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

from kedro.config import MissingConfigException
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.io.core import AbstractVersionedDataset, is_parameter
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from pydantic import BaseModel

from mnist_kedro.errors import InputError

_HISTORY, _MODEL = ".history", ".model"
_REPORTING = "08_reporting"  # what lies in this folder is logged as files


class MlflowHooks:
    """Hands a run to kedro-mlflow, and logs what that leaves to the catalog.

    The settings disable kedro-mlflow's own registration: it would track every run, and log a group
    of typed parameters as one text.
    """

    @hook_impl(trylast=True)  # the parameters are checked first
    def after_context_created(self, context: KedroContext) -> None:
        """Connect to MLflow, if this environment asks for it.

        Raises:
            InputError: when kedro-mlflow is not installed.
        """
        self._tracking: Any = None
        try:
            asked = context.config_loader["mlflow"]
        except MissingConfigException:
            return
        if not asked:
            return
        try:
            from kedro_mlflow.framework.hooks.mlflow_hook import MlflowHook  # noqa: PLC0415
        except ImportError as error:
            raise InputError(
                "mlflow.yml asks for MLflow, but kedro-mlflow is not installed; "
                "pip install 'mnist_kedro[mlflow]'."
            ) from error
        self._tracking = MlflowHook()
        self._tracking.after_context_created(context)

    @hook_impl(trylast=True)  # after all checks: what they refuse is no run
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Open the run."""
        self._catalog = catalog
        if self._tracking:
            self._tracking.before_pipeline_run(run_params, pipeline, catalog)

    @hook_impl
    def before_node_run(
        self, node: Node, catalog: DataCatalog, inputs: dict[str, Any], is_async: bool
    ) -> None:
        """Log the node's parameters, one by one."""
        if self._tracking:
            plain = {
                name: value.model_dump(mode="json") if isinstance(value, BaseModel) else value
                for name in filter(is_parameter, inputs)
                for value in [inputs[name]]
            }
            self._tracking.before_node_run(node, catalog, plain, is_async)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str) -> None:
        """Log metrics and curves as such, models as such, and everything else as files."""
        if not self._tracking:
            return
        import mlflow  # noqa: PLC0415  (imports for a second)

        if dataset_name == "metrics":
            metrics = self._catalog.load(dataset_name)
            mlflow.log_metrics(dict(_numbers(metrics["models"], "test.")))
        elif dataset_name.endswith(_HISTORY):
            _log_curves(dataset_name.removesuffix(_HISTORY), self._catalog.load(dataset_name))
        elif dataset_name.endswith(_MODEL):
            _log_model(dataset_name.removesuffix(_MODEL), self._catalog.load(dataset_name))
        self._log_file(dataset_name)

    def _log_file(self, dataset_name: str) -> None:
        import mlflow  # noqa: PLC0415

        dataset = self._catalog.get(dataset_name)
        if isinstance(dataset, AbstractVersionedDataset) and dataset.exists():
            path = dataset._get_load_path()  # noqa: SLF001
            of_this_run = path.parent.name == dataset.resolve_save_version()
            if of_this_run and path.parents[2].name == _REPORTING:
                mlflow.log_artifact(path.as_posix())

    @hook_impl(trylast=True)  # the manifest is logged too
    def after_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Close the run."""
        if self._tracking:
            self._log_file("run_manifest")  # a hook saved it
            self._tracking.after_pipeline_run(run_params, pipeline, catalog)

    @hook_impl
    def on_pipeline_error(
        self,
        error: Exception,
        run_params: dict[str, Any],
        pipeline: Pipeline,
        catalog: DataCatalog,
    ) -> None:
        """Close it as failed."""
        if self._tracking:
            self._tracking.on_pipeline_error(error, run_params, pipeline, catalog)


def _numbers(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """All numbers in mappings, by their names, say ``test.cnn.classes.7.f1``."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{prefix}{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{prefix}{name}", value


def _log_curves(network: str, history: Mapping[str, Any]) -> None:
    """A value for each epoch."""
    import mlflow  # noqa: PLC0415

    curves = {name: values for name, values in history.items() if isinstance(values, list)}
    for epoch in range(history["epochs"]):
        mlflow.log_metrics(
            {f"training.{network}.{name}": values[epoch] for name, values in curves.items()},
            step=epoch + 1,
        )


def _log_model(network: str, model: Any) -> None:
    """In MLflow's form, which ``mlflow.keras.load_model`` and ``mlflow models serve`` take."""
    import mlflow.keras  # noqa: PLC0415

    requirements = [f"{package}=={version(package)}" for package in ("keras", "tensorflow")]
    mlflow.keras.log_model(model, name=network, pip_requirements=requirements)
