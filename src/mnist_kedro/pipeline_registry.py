"""The project's pipelines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Self

from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline

from mnist_kedro import pipelines as package
from mnist_kedro.parameters import NetworkParameters, Parameters


@dataclass(frozen=True)
class PipelineShape:
    """What the nodes of the pipelines follow from; by default what ``conf/base`` has."""

    models: Sequence[str] = package.MODELS  # which networks are trained and reported on
    members: int = 1  # of each ensemble
    searches: int = 1  # for training parameters
    corruption_parts: int = 1  # nodes that share the corruption suite
    inference_parts: int = 1  # nodes that share a person's pictures
    # What the models are, by their names; Kedro-Viz draws them.
    networks: Mapping[str, NetworkParameters] = field(default_factory=dict)

    @classmethod
    def of(cls, parameters: Parameters) -> Self:
        """That of a run with these parameters."""
        models = parameters.training.models
        return cls(
            models=models,
            members=parameters.training.members,
            searches=parameters.tuning.searches,
            corruption_parts=parameters.reporting.corruption_parts,
            inference_parts=parameters.inference.parts,
            networks={model: getattr(parameters, model).network for model in models},
        )


def register_pipelines(shape: PipelineShape | None = None) -> dict[str, Pipeline]:
    """Each folder of ``pipelines`` by its name, and what runs by default.

    ``inference``, ``export``, ``tuning``, ``adversarial``, ``generation`` and ``compare_runs`` run
    on request only, ``ingestion`` also by itself when there is no ``mnist`` yet (see ``hooks/``).

    Args:
        shape: of a run; Kedro, which calls this before a run's parameters are known, gives none.
    """
    pipelines = find_pipelines(raise_errors=True)
    shape = shape or PipelineShape()
    follow: dict[str, tuple[object, ...]] = {
        "training": (shape.models, shape.members, shape.networks),
        "reporting": (shape.models, shape.members, shape.corruption_parts),
        "tuning": (shape.models, shape.searches),
        "adversarial": (shape.models,),
        "inference": (shape.models, shape.inference_parts),
        "export": (shape.models,),
    }
    for name in follow.keys() & pipelines.keys():
        module = import_module(f"{package.__name__}.{name}")
        pipelines[name] = module.create_pipeline(*follow[name])
    main = ("data_processing", "training", "reporting")
    pipelines["__default__"] = sum(
        (pipelines[name] for name in main if name in pipelines), Pipeline([])
    )
    return pipelines
