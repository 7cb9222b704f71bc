"""Log runs to MLflow if the environment has an ``mlflow.yml``."""

from collections.abc import Mapping
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
from mnist_kedro.mappings import flatten
from mnist_kedro.remote_store import without_secrets

_HISTORY, _MODEL = ".history", ".model"
_ARTIFACTS_FOLDER = "08_reporting"  # its files are logged as artifacts


class MlflowHooks:
    """Track a run with kedro-mlflow, and log its metrics, models and files.

    ``settings.py`` disables the plugin's own hooks, which would track every run and log a group of
    typed parameters as one string.
    """

    @hook_impl(trylast=True)  # the parameters are checked first
    def after_context_created(self, context: KedroContext) -> None:
        """Connect to MLflow if the environment enables it.

        Raises:
            InputError: if kedro-mlflow is not installed.
        """
        self._tracking: Any = None
        try:
            settings = context.config_loader["mlflow"]
        except MissingConfigException:
            return
        if not settings:
            return
        try:
            from kedro_mlflow.framework.hooks.mlflow_hook import MlflowHook  # noqa: PLC0415
        except ImportError as error:
            raise InputError(
                "mlflow.yml enables MLflow, but kedro-mlflow is not installed; "
                "pip install 'mnist_kedro[mlflow]'."
            ) from error
        self._tracking = MlflowHook()
        self._tracking.after_context_created(context)

    @hook_impl(trylast=True)  # after all checks, so that rejected runs are not logged
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Start the MLflow run."""
        self._catalog = catalog
        if self._tracking:
            self._tracking.before_pipeline_run(without_secrets(run_params), pipeline, catalog)

    @hook_impl
    def before_node_run(self, node: Node, catalog: DataCatalog, is_async: bool) -> None:
        """Log the node's parameters individually."""
        if self._tracking:
            plain = {
                name: value.model_dump(mode="json") if isinstance(value, BaseModel) else value
                for name in filter(is_parameter, node.inputs)
                for value in [catalog.load(name)]
            }
            self._tracking.before_node_run(node, catalog, without_secrets(plain), is_async)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str) -> None:
        """Log metrics, learning curves, models, and the files in ``08_reporting`` as artifacts."""
        if not self._tracking:
            return
        import mlflow  # noqa: PLC0415  (the import takes a second)

        if dataset_name == "metrics":
            metrics = self._catalog.load(dataset_name)
            values = flatten(metrics["models"], "test.")
            mlflow.log_metrics({name: value for name, value in values if _is_number(value)})
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
            if of_this_run and path.parents[2].name == _ARTIFACTS_FOLDER:
                mlflow.log_artifact(path.as_posix())

    @hook_impl(trylast=True)  # after the manifest is saved
    def after_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """End the MLflow run."""
        if self._tracking:
            self._log_file("run_manifest")  # saved by a hook, not by a node
            self._tracking.after_pipeline_run(run_params, pipeline, catalog)

    @hook_impl
    def on_pipeline_error(
        self,
        error: Exception,
        run_params: dict[str, Any],
        pipeline: Pipeline,
        catalog: DataCatalog,
    ) -> None:
        """Mark the MLflow run as failed."""
        if self._tracking:
            self._tracking.on_pipeline_error(error, run_params, pipeline, catalog)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _log_curves(network: str, history: Mapping[str, Any]) -> None:
    """Log the metrics of each epoch."""
    import mlflow  # noqa: PLC0415

    curves = {name: values for name, values in history.items() if isinstance(values, list)}
    for epoch in range(history["epochs"]):
        mlflow.log_metrics(
            {f"training.{network}.{name}": values[epoch] for name, values in curves.items()},
            step=epoch + 1,
        )


def _log_model(network: str, model: Any) -> None:
    """Log a model, so that ``mlflow.keras.load_model`` and ``mlflow models serve`` load it."""
    import mlflow.keras  # noqa: PLC0415

    requirements = [f"{package}=={version(package)}" for package in ("keras", "tensorflow")]
    mlflow.keras.log_model(model, name=network, pip_requirements=requirements)
