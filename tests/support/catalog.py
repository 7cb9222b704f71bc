"""The datasets of a default run, as the pipelines and the catalog have them."""

import functools
from pathlib import Path

from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.pipeline import Pipeline

from tests.support.paths import ROOT


@functools.cache
def default_pipeline() -> Pipeline:
    """Return the pipeline that runs by default."""
    bootstrap_project(ROOT)
    with KedroSession.create(project_path=ROOT, env="smoke") as session:
        session.load_context()
        return pipelines["__default__"]


@functools.cache
def stored_datasets() -> dict[str, str]:
    """Return the path in the data folder of each dataset that a default run saves, by its name."""
    names = default_pipeline().all_outputs() | {"mnist", "run_manifest"}
    bootstrap_project(ROOT)
    with KedroSession.create(project_path=ROOT, env="smoke") as session:
        catalog = session.load_context().catalog
        datasets = {name: catalog.get(name) for name in sorted(names)}
    root = ROOT / "data" / "smoke"
    return {
        name: Path(dataset._filepath).relative_to(root).as_posix()
        for name, dataset in datasets.items()
        if dataset is not None
    }


def paths_of(pipeline: Pipeline) -> set[str]:
    """Return the paths of what a pipeline saves."""
    stored = stored_datasets()
    return {stored[name] for name in pipeline.all_outputs() if name in stored}
