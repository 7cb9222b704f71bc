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
# The pipelines of `kedro run`; the others run only with `kedro run --pipelines …`.
_DEFAULT = ("ingestion", "data_processing", "training", "reporting")
_COMBINED = {"__default__": _DEFAULT, "reporting": _REPORTING}
_INCLUDED = {"export": ("picture_calibration",)}  # a model may be exported right after training
# Kedro-Viz collapses the nodes of a namespace into one box. Dataset names get no prefix.
_NAMESPACES = {
    "data_processing": "data_processing",
    **{name: f"reporting.{name}" for name in _REPORTING},
}

_thread = threading.local()


def register_pipelines() -> Mapping[str, Pipeline]:
    """Return the pipelines of the current thread's run.

    Kedro calls this function once per process, before it knows the parameters of a run, and caches
    the result. Therefore the result is a mapping that creates each pipeline on access: Kedro
    accesses it after it has created the run's context, in the same thread.
    """
    return _Pipelines()


def use_parameters(parameters: Parameters) -> None:
    """Set the parameters from which the pipelines of the current thread's run are created."""
    _thread.arguments, _thread.created = _arguments(parameters), {}


def _arguments(parameters: Parameters) -> dict[str, tuple[Any, ...]]:
    """Return the arguments of each ``create_pipeline``, such as the networks to train, by name."""
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
    """The pipelines by name, for the thread's latest run; before a run, for the configuration.

    The modules of a pipeline are imported when it is created; importing all of them takes a second.
    """

    def __getitem__(self, name: str) -> Pipeline:
        if name not in self._state.created:
            self._state.created[name] = self._create(name)
        pipeline: Pipeline = self._state.created[name]
        return pipeline

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(["__default__", *_DEFAULT, *self._state.arguments]))

    def __len__(self) -> int:
        return len(_COMBINED) + len(self._state.arguments)

    def _create(self, name: str) -> Pipeline:
        if name in _COMBINED:
            return sum((self[part] for part in _COMBINED[name]), Pipeline([]))
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
    """Load the parameters of a run without command-line options."""
    loader = settings.CONFIG_LOADER_CLASS(
        conf_source=str(project_folder() / settings.CONF_SOURCE),
        env=os.environ.get("KEDRO_ENV"),
        **settings.CONFIG_LOADER_ARGS,
    )
    return check_parameters(loader["parameters"])
