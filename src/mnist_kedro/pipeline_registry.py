"""Register the project's pipelines."""

import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from kedro.framework.project import settings
from kedro.pipeline import Pipeline
from kedro.utils import find_kedro_project

from mnist_kedro.parameters import Parameters, TrainingParameters, check_parameters
from mnist_kedro.pipelines import (
    adversarial,
    compare_runs,
    data_processing,
    evaluation,
    export,
    inference,
    ingestion,
    interpretation,
    report,
    robustness,
    training,
    tuning,
)
from mnist_kedro.pipelines.figures import Sections, join_sections


def create_pipelines(parameters: Parameters) -> dict[str, Pipeline]:
    """Create every pipeline of the project, by its name.

    ``__default__`` is what ``kedro run`` runs; the pipelines that it does not contain run on
    request (``kedro run --pipelines …``).

    Args:
        parameters: determine which networks have nodes, and how many nodes share some work.
    """
    models = parameters.training.models
    members = parameters.training.members
    networks = {model: parameters.networks[model] for model in models}
    reporting = {
        "evaluation": evaluation.create_pipeline(models, members),
        "robustness": robustness.create_pipeline(models),
        "interpretation": interpretation.create_pipeline(models[0], parameters.training),
        "report": report.create_pipeline(models[0], _sections(parameters.training)),
    }
    parts = {name: _group(part, f"reporting.{name}") for name, part in reporting.items()}
    pipelines = {
        "ingestion": ingestion.create_pipeline(),
        "data_processing": _group(data_processing.create_pipeline(), "data_processing"),
        "training": training.create_pipeline(networks, members),
        "reporting": sum(parts.values(), Pipeline([])),
        **parts,
        "inference": inference.create_pipeline(models, parameters.inference.parts),
        "export": export.create_pipeline(models),
        "tuning": tuning.create_pipeline(models[0]),
        "adversarial": adversarial.create_pipeline(models),
        "compare_runs": compare_runs.create_pipeline(),
    }
    default = ("ingestion", "data_processing", "training", "reporting")
    return {"__default__": sum((pipelines[name] for name in default), Pipeline([])), **pipelines}


def _group(pipeline: Pipeline, namespace: str) -> Pipeline:
    """Put nodes into a namespace, which Kedro-Viz folds into one box; datasets keep their names."""
    return Pipeline(pipeline, namespace=namespace, prefix_datasets_with_namespace=False)


def _sections(training: TrainingParameters) -> Sections:
    """Return the figures of the report, by its sections."""
    return join_sections(
        evaluation.create_figures(training.models),
        robustness.create_figures(),
        interpretation.create_figures(training.models[0], training),
    )


def register_pipelines() -> Mapping[str, Pipeline]:
    """Return the pipelines of the current thread's run.

    Kedro calls this once a process, before it knows the parameters of a run, and keeps the result.
    So the result is a mapping that looks the pipelines up when Kedro asks for one of them: Kedro
    does so after it has created the run's context, in the same thread.
    """
    return _PipelinesOfThread()


def use_parameters(parameters: Parameters) -> None:
    """Create the pipelines that the current thread's run uses, for its parameters."""
    _thread.pipelines = create_pipelines(parameters)


_thread = threading.local()


class _PipelinesOfThread(Mapping[str, Pipeline]):
    """The pipelines of the thread's latest run, or those of the configuration before a run."""

    def __getitem__(self, name: str) -> Pipeline:
        return self._pipelines[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._pipelines)

    def __len__(self) -> int:
        return len(self._pipelines)

    @property
    def _pipelines(self) -> dict[str, Pipeline]:
        if not hasattr(_thread, "pipelines"):
            use_parameters(_configured_parameters())
        pipelines: dict[str, Pipeline] = _thread.pipelines
        return pipelines


def _configured_parameters() -> Parameters:
    """Load the parameters as a run without options does."""
    project = find_kedro_project(Path.cwd()) or Path.cwd()
    loader = settings.CONFIG_LOADER_CLASS(
        conf_source=str(project / settings.CONF_SOURCE),
        env=os.environ.get("KEDRO_ENV"),
        **settings.CONFIG_LOADER_ARGS,
    )
    return check_parameters(loader["parameters"])
