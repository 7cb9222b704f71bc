"""Register the project's pipelines."""

import os
import threading
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from kedro.framework.project import settings
from kedro.pipeline import Pipeline

from mnist_kedro.parameters import Parameters, check_parameters
from mnist_kedro.project_folder import project_folder

_REPORTING = ("evaluation", "picture_calibration", "robustness", "interpretation", "report")
# What `kedro run` runs; the other pipelines run on request (`kedro run --pipelines …`).
_DEFAULT = ("ingestion", "data_processing", "training", "reporting")
_SUMS = {"__default__": _DEFAULT, "reporting": _REPORTING}
_INCLUDED = {"export": ("picture_calibration",)}  # A model may be exported after its training.
# Kedro-Viz folds the nodes of a namespace into one box; datasets keep their names.
_NAMESPACES = {
    "data_processing": "data_processing",
    **{name: f"reporting.{name}" for name in _REPORTING},
}

_thread = threading.local()


def register_pipelines() -> Mapping[str, Pipeline]:
    """Return the pipelines of the current thread's run.

    Kedro calls this once a process, before it knows the parameters of a run, and keeps the result.
    So the result is a mapping that creates a pipeline when Kedro asks for it: Kedro does so after
    it has created the run's context, in the same thread.
    """
    return _Pipelines()


def use_parameters(parameters: Parameters) -> None:
    """Create the pipelines of the current thread's run for its parameters from now on."""
    _thread.arguments, _thread.created = _arguments(parameters), {}


def _arguments(parameters: Parameters) -> dict[str, tuple[Any, ...]]:
    """Return what each pipeline is created with, by its name, such as the models to train."""
    models, members = parameters.training.models, parameters.training.members
    return {
        "ingestion": (),
        "data_processing": (),
        "training": ({model: parameters.networks[model] for model in models}, members),
        "evaluation": (models, members),
        "picture_calibration": (models,),
        "robustness": (models,),
        "interpretation": (models[0],),
        "report": (models,),
        "inference": (models, parameters.inference.parts),
        "export": (models,),
        "teaching": (models,),
        "tuning": (models[0],),
        "adversarial": (models,),
        "compare_runs": (),
        "data_quality": (parameters.data_quality.label_errors,),
        "ink_finder": (),
        "digit_detector": (),
    }


class _Pipelines(Mapping[str, Pipeline]):
    """The pipelines by their names, for the thread's latest run, or as configured before a run.

    The modules of a pipeline are imported when it is created: those of all take a second.
    """

    def __getitem__(self, name: str) -> Pipeline:
        if name not in self._state.created:
            self._state.created[name] = self._create(name)
        pipeline: Pipeline = self._state.created[name]
        return pipeline

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(["__default__", *_DEFAULT, *self._state.arguments]))

    def __len__(self) -> int:
        return len(_SUMS) + len(self._state.arguments)

    def _create(self, name: str) -> Pipeline:
        if name in _SUMS:
            return sum((self[part] for part in _SUMS[name]), Pipeline([]))
        arguments = self._state.arguments[name]
        module = import_module(f"mnist_kedro.pipelines.{name}")
        pipeline = Pipeline(
            module.create_pipeline(*arguments),
            namespace=_NAMESPACES.get(name),
            prefix_datasets_with_namespace=False,
        )
        return sum((self[part] for part in _INCLUDED.get(name, ())), pipeline)

    @property
    def _state(self) -> threading.local:
        if not hasattr(_thread, "arguments"):
            use_parameters(_configured_parameters())
        return _thread


def _configured_parameters() -> Parameters:
    """Load the parameters as a run without options does."""
    loader = settings.CONFIG_LOADER_CLASS(
        conf_source=str(project_folder() / settings.CONF_SOURCE),
        env=os.environ.get("KEDRO_ENV"),
        **settings.CONFIG_LOADER_ARGS,
    )
    return check_parameters(loader["parameters"])
