"""The project's pipelines."""

from collections.abc import Mapping, Sequence
from importlib import import_module

from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline

from mnist_kedro import pipelines as package
from mnist_kedro.parameters import NetworkParameters


def register_pipelines(
    models: Sequence[str] = package.MODELS,
    members: int = 1,
    networks: Mapping[str, NetworkParameters] | None = None,
) -> dict[str, Pipeline]:
    """Each folder of ``pipelines`` by its name, and what runs by default.

    ``inference``, ``export``, ``tuning``, ``adversarial``, ``generation`` and ``compare_runs`` run
    on request only, ``ingestion`` also by itself when there is no ``mnist`` yet (see ``hooks/``).

    Args:
        models: which networks are trained and reported on, as in the parameter ``training.models``.
        members: how many of each, as in ``training.members``.
        networks: what they are, by the names of the models; Kedro-Viz draws them.
    """
    pipelines = find_pipelines(raise_errors=True)
    of_models = {
        "training": (models, members, networks),
        "reporting": (models, members),
        "tuning": (models,),
        "adversarial": (models,),
        "inference": (models,),
        "export": (models,),
    }
    for name in of_models.keys() & pipelines.keys():
        module = import_module(f"{package.__name__}.{name}")
        pipelines[name] = module.create_pipeline(*of_models[name])
    main = ("data_processing", "training", "reporting")
    pipelines["__default__"] = sum(
        (pipelines[name] for name in main if name in pipelines), Pipeline([])
    )
    return pipelines
