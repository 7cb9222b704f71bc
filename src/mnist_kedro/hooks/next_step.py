"""Suggest the next command after a run."""

import shutil
import sys
from pathlib import Path, PurePath

from kedro.utils import is_kedro_project

from mnist_kedro.project_folder import project_folder

_APP = "draw digits in the browser: make app"
_SHOWN_BY_APP = ("report", "digit_predictions", "promotion")
_NEXT = {  # purpose and command, by the main dataset that a run saved
    "report": "classify your own pictures: {run} --pipelines inference "
    "--params inference.images=FOLDER",
    "digit_predictions": "classify all digits of each picture: {run} --pipelines inference "
    "--params inference.images=FOLDER,inference.all_digits=true",
    "promotion": "draw digits in the browser: {python} -m mnist_kedro.serving --models {folder}",
    "runs": "report on the latest networks: {run} --pipelines reporting",
    "data_quality_page": "search for wrong labels: {run} --pipelines data_quality "
    "--params data_quality.label_errors=true",
    "tuned_parameters": "train with them: cp {path} conf/local/parameters_training.yml && {run}",
    "model": "evaluate the networks: {run} --pipelines reporting",
    "test": "train on these digits: {run} --pipelines training,reporting",
    "mnist": "train on these digits: {run} --pipelines data_processing,training,reporting",
}


def suggest_next_step(dataset: str, path: str, environment: str | None) -> str | None:
    """Return a purpose and a command, such as "draw digits in the browser: make app".

    Args:
        dataset: name of the main dataset that the run saved.
        path: path of this dataset's file.
        environment: Kedro environment of the run; None if it was not set.

    Returns:
        The suggestion; None if there is none for this dataset.
    """
    dataset = "model" if dataset.endswith(".model") else dataset
    has_make = Path("Makefile").is_file() and shutil.which("make") is not None
    if has_make and environment is None and dataset in _SHOWN_BY_APP:
        return _APP
    if dataset not in _NEXT:
        return None
    is_project = is_kedro_project(project_folder())  # false for an installed wheel
    run = f"{_program('kedro')} run" if is_project else f"{_program('python')} -m mnist_kedro"
    return _NEXT[dataset].format(
        run=run + (f" --env {environment}" if environment else ""),
        python=_program("python"),
        path=path,
        folder=PurePath(path).parents[2],
    )


def relative(path: str) -> str:
    """Return a path relative to the current folder, or unchanged if it is not in that folder."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path


def _program(name: str) -> str:
    """Return the name of a program of this Python environment, or its path if not on PATH."""
    program = Path(sys.executable).with_name(name)
    found = shutil.which(name)
    if not program.exists() or (found and Path(found).parent == program.parent):
        return name
    return relative(str(program))
