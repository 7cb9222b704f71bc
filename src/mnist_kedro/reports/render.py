"""Render the report and the model card."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from omegaconf import OmegaConf

from mnist_kedro.datasets.figure_dataset import Picture
from mnist_kedro.plots.style import model_title
from mnist_kedro.reports.answers import answer_questions, first_model, interval, percent

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
    sections: Mapping[str, Sequence[str]],
    **figures: Picture,
) -> str:
    """Render the report: one self-contained HTML page.

    Args:
        metrics: the content of ``metrics.json``; the report is about the first model.
        corruptions: the table ``corruption_accuracies``.
        confidences: the table ``out_of_distribution_confidences``.
        layers: the table of the first model's layers.
        run: id, parameters, code and machine of the run.
        sections: names of the figures, by section title.
        figures: the figures, as ``figure_<name>``, so that no name is that of another argument.
    """
    pictures = {key.removeprefix("figure_"): picture for key, picture in figures.items()}
    variables = _template_variables(metrics, corruptions, confidences, layers)
    template = _ENVIRONMENT.get_template("report.html.jinja")
    return template.render(variables, run=run, pictures=pictures, sections=sections)


def render_model_card(
    metrics: Mapping[str, Any],
    corruptions: pd.DataFrame,
    confidences: pd.DataFrame,
    layers: pd.DataFrame,
    run: Mapping[str, Any],
) -> str:
    """Render the model card (Mitchell et al. 2019, arXiv:1810.03993) for Hugging Face, in Markdown.

    The arguments are those of :func:`render_report`.
    """
    variables = _template_variables(metrics, corruptions, confidences, layers)
    return _ENVIRONMENT.get_template("model_card.md.jinja").render(variables, run=run)


def _template_variables(
    metrics: Mapping[str, Any],
    corruptions: pd.DataFrame,
    confidences: pd.DataFrame,
    layers: pd.DataFrame,
) -> dict[str, Any]:
    name = first_model(metrics)
    return {
        "answers": answer_questions(metrics, corruptions, confidences),
        "data": metrics["data"],
        "layers": layers.to_dict("records"),
        "model": metrics["models"][name],
        "models": metrics["models"],
        "name": name,
        "title": model_title(name),
    }
