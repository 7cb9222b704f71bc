"""The project's pipelines."""

from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline


def register_pipelines() -> dict[str, Pipeline]:
    """Each folder of ``pipelines`` by its name; the default run is all but ``ingestion``.

    ``ingestion`` runs by itself when there is no ``mnist`` yet (see ``hooks.py``).
    """
    pipelines = find_pipelines(raise_errors=True)
    main = ("data_processing", "training", "reporting")
    pipelines["__default__"] = sum(
        (pipelines[name] for name in main if name in pipelines), Pipeline([])
    )
    return pipelines
