"""Fill the templates."""

import base64
from collections.abc import Mapping
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from omegaconf import OmegaConf

from mnist_kedro.datasets.figure_dataset import Picture
from mnist_kedro.plots.style import call
from mnist_kedro.reports.answers import answer_questions, first_model, interval, percent

# The figures of the report, by the section that they are in.
SECTIONS = {
    "Mistakes": ("worst_mistakes", "confusion_matrix", "attributions", "sample_predictions"),
    "Confidence": (
        *("risk_coverage", "reliability_diagram"),
        *("least_confident_hits", "out_of_distribution"),
    ),
    "Robustness": ("robustness",),
    "Training": ("training_curves", "augmented_digits", "class_balance"),
    "What it has learned": ("first_layer", "feature_maps", "embedding"),
}
FIGURES = tuple(figure for figures in SECTIONS.values() for figure in figures)

_ENVIRONMENT = Environment(
    loader=PackageLoader(__package__, "templates"),
    autoescape=select_autoescape(["html.jinja"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_ENVIRONMENT.filters |= {
    "percent": percent,
    "interval": interval,
    "base64": lambda data: base64.b64encode(data).decode(),
    "yaml": lambda data: OmegaConf.to_yaml(OmegaConf.create(data)),
}


def render_report(
    metrics: Mapping[str, Any],
    corruptions: pd.DataFrame,
    confidences: pd.DataFrame,
    layers: pd.DataFrame,
    run: Mapping[str, Any],
    **pictures: Picture,
) -> str:
    """The report: one page of HTML that needs nothing else.

    Args:
        metrics: as in ``metrics.json``; the report is about its first model.
        corruptions: as ``corruption_accuracies``.
        confidences: as ``out_of_distribution_confidences``.
        layers: of that model, as ``layers``.
        run: what the run is made of, as the hook tells it.
        pictures: those in :data:`FIGURES`, by name.
    """
    facts = _facts(metrics, corruptions, confidences, layers)
    template = _ENVIRONMENT.get_template("report.html.jinja")
    return template.render(facts, run=run, pictures=pictures, sections=SECTIONS)


def render_model_card(
    metrics: Mapping[str, Any],
    corruptions: pd.DataFrame,
    confidences: pd.DataFrame,
    layers: pd.DataFrame,
    run: Mapping[str, Any],
) -> str:
    """A model card in Markdown, as Hugging Face reads it; arguments as above.

    After Mitchell et al. 2019 (arXiv:1810.03993).
    """
    facts = _facts(metrics, corruptions, confidences, layers)
    return _ENVIRONMENT.get_template("model_card.md.jinja").render(facts, run=run)


def _facts(
    metrics: Mapping[str, Any],
    corruptions: pd.DataFrame,
    confidences: pd.DataFrame,
    layers: pd.DataFrame,
) -> dict[str, Any]:
    name = first_model(metrics)
    return {
        "answers": answer_questions(metrics, corruptions, confidences),
        "called": call(name),
        "data": metrics["data"],
        "layers": layers.to_dict("records"),
        "model": metrics["models"][name],
        "models": metrics["models"],
        "name": name,
    }
