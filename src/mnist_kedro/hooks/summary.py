"""Log a summary after a run: saved datasets, accuracies, the main result and the next step."""

import logging
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from mnist_kedro.hooks.next_step import relative, suggest_next_step
from mnist_kedro.hooks.versions import VersionHooks
from mnist_kedro.latest import move_latest
from mnist_kedro.origin import describe_origin

logger = logging.getLogger(__name__)

_WIDTH = 101  # columns of a message; time and level take the other 19 of 120
_RESULTS = {
    "report": "Report",
    "digit_predictions": "Predictions",
    "runs": "Runs",
    "data_quality_page": "Data quality",
    "tuned_parameters": "Best parameters",
    "promotion": "Promotion decision",
}
_FIGURES = {  # that show a result
    "digit_predictions": "figures.contact_sheet",
    "runs": "figures.runs_compared",
    "tuned_parameters": "figures.tuning_search",
}


class SummaryHooks:
    """Log a summary of a run, and point the symbolic link ``latest`` to its report."""

    def __init__(self, versions: VersionHooks) -> None:
        """Read the loaded and saved versions from the hook ``versions``."""
        self._versions = versions

    @hook_impl
    def after_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Log the datasets, the accuracies, the path of the main result, and the next step."""
        saved = self._versions.saved
        if saved:
            logger.info("%s", _describe_datasets(saved, pipeline.outputs()))
            for accuracy in _describe_accuracies(saved, catalog):
                logger.info("%s", accuracy)
            names = [*_RESULTS, *_sorted(saved, pipeline.outputs())]
            self._log_result(next(name for name in names if name in saved), catalog, run_params)
        elif run_params["only_missing_outputs"]:
            logger.info("Nothing to do: all outputs exist.")

    def _log_result(
        self, dataset: str, catalog: DataCatalog, run_params: Mapping[str, Any]
    ) -> None:
        path = _path(catalog, dataset, self._versions.saved[dataset])
        if dataset == "report" and "://" not in path:  # saved on a local disk
            path = self._link_report(Path(path), catalog)
        path = relative(path)
        logger.info("%s: %s", _RESULTS.get(dataset, dataset), path)
        figure = _FIGURES.get(dataset, "")
        if version := self._versions.saved.get(figure):
            logger.info("Figure: %s", relative(_path(catalog, figure, version)))
        if step := suggest_next_step(dataset, path, run_params["env"]):
            logger.info("Next, %s", step)

    def _link_report(self, report: Path, catalog: DataCatalog) -> str:
        """Point ``latest`` to a folder of links to the report, its manifest and its other files.

        The other files are those in ``08_reporting`` that the run loaded or saved.

        Returns:
            The report's path below ``latest``, or its original path if the link cannot be replaced.
        """
        version = self._versions.saved["report"]
        versions = {**self._versions.loaded, **self._versions.saved, "run_manifest": version}
        files = [Path(_path(catalog, *dataset)) for dataset in versions.items()]
        folder = report.parents[2]
        link = folder / "latest"
        try:
            move_latest(link, version, [file for file in files if file.parents[2] == folder])
        except OSError as error:
            logger.warning("%s: not updated (%s).", link, error.strerror)
            return str(report)
        return str(link / report.name)


def _path(catalog: DataCatalog, name: str, version: str) -> str:
    """Return the path or URL of a version of a dataset."""
    # Creating some datasets imports TensorFlow, which takes seconds; the configuration is enough.
    path = catalog.config_resolver.resolve_pattern(name)["filepath"]
    return f"{path}/{version}/{path.rpartition('/')[2]}"


def _sorted(saved: Mapping[str, str], final: set[str]) -> list[str]:
    """Sort datasets by name, but models and final outputs first."""
    return sorted(saved, key=lambda name: (not name.endswith(".model"), name not in final, name))


def _describe_datasets(saved: Mapping[str, str], final: set[str]) -> str:
    """Count the datasets, and name as many as fit into a line, models and final outputs first."""
    names = _sorted(saved, final)
    count = f"{len(names)} dataset{'s' * (len(names) > 1)}"
    text = f"Saved {count}, version {saved[names[0]]}: {', '.join(names)}"
    return textwrap.shorten(text, _WIDTH, placeholder=" …")


def _describe_accuracies(saved: Mapping[str, str], catalog: DataCatalog) -> list[str]:
    """Describe the test accuracies if models were evaluated, otherwise validation accuracies."""
    if "metrics" in saved:
        metrics = catalog.load("metrics")
        digits = f"{metrics['data']['test']:,} digits of {describe_origin(metrics['data'])}"
        return [
            f"{name}: test accuracy {model['accuracy']:.2%} "
            f"(95% interval {100 * low:.2f}–{100 * high:.2f}%) on {digits}"
            for name, model in metrics["models"].items()
            for low, high in [model["accuracy_ci95"]]
        ]
    evaluations = {name: catalog.load(name) for name in saved if name.endswith(".evaluation")}
    if evaluations:
        return [
            f"{name.removesuffix('.evaluation')}: test accuracy {evaluation['accuracy']:.2%} "
            f"(95% interval {100 * low:.2f}–{100 * high:.2f}%)"
            for name, evaluation in evaluations.items()
            for low, high in [evaluation["accuracy_ci95"]]
        ]
    histories = {name: catalog.load(name) for name in saved if name.endswith(".history")}
    if not histories:
        return []
    accuracies = [
        f"{name.removesuffix('.history')} {history['validation_accuracy'][-1]:.2%}"
        for name, history in histories.items()
    ]
    origin = describe_origin(next(iter(histories.values()))["data"])
    return [f"Validation accuracy on {origin} after the last epoch: {', '.join(accuracies)}"]
