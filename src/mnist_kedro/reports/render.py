"""Render the report and the model card; their sentences are in ``templates/``."""

import base64
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape
from omegaconf import OmegaConf

from mnist_kedro.contracts import GIVEN, LEAKED, LabeledImages
from mnist_kedro.datasets.figure_dataset import Picture
from mnist_kedro.lineage import with_lineage
from mnist_kedro.metrics.robustness import MIDDLE_SEVERITY, summarize_robustness
from mnist_kedro.plots.style import model_title
from mnist_kedro.reports.digits import collect_mistakes, crop_texts, place_points

DRAWN_BY_THE_PAGE = ("worst_mistakes", "embedding")  # figures that the report does not load
_HIGH_CONFIDENCE = 0.99


def percent(share: float, digits: int = 2) -> str:
    """Format a share in 0–1 as a percentage."""
    return f"{share:.{digits}%}"


def small_percent(share: float) -> str:
    """Format a share in 0–1 as a percentage with two significant digits, such as 0.0043%."""
    return f"{share:.0%}" if share >= 0.1 else f"{100 * share:.2g}%"


def interval(bounds: Sequence[float], digits: int = 2) -> str:
    """Format two shares in 0–1 as an interval of percentages."""
    low, high = bounds
    return f"{100 * low:.{digits}f}–{100 * high:.{digits}f}%"


class Column(NamedTuple):
    """A column of the table of models."""

    title: str
    description: str  # empty if the title says all
    format: str  # of a model's metrics, and ``interval`` and ``temperature`` as texts


COLUMNS = (
    Column("Accuracy", "", "{accuracy:.2%}"),
    Column("95% interval", "", "{interval}"),
    Column("Errors", "", "{errors:,}"),
    Column("NLL", "negative log-likelihood, nats per digit", "{negative_log_likelihood:.4f}"),
    Column("Brier", "0 to 2", "{brier_score:.4f}"),
    Column("ECE", "expected calibration error", "{expected_calibration_error:.2%}"),
    Column("Temperature", "fitted to validation digits; 1 if none was better", "{temperature}"),
    Column("Weights", "trainable", "{parameters:,}"),
    Column("Training, s", "", "{training_seconds:.1f}"),
)

ENVIRONMENT = Environment(
    loader=PackageLoader(__package__, "templates"),
    autoescape=select_autoescape(["html.jinja"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
ENVIRONMENT.filters |= {
    "percent": percent,
    "small_percent": small_percent,
    "interval": interval,
    "count": lambda number: f"{number:,}",
    "one_line": lambda text: " ".join(text.split()),
    "title_of": model_title,
    "content": lambda picture: base64.b64encode(crop_texts(picture)).decode(),
    "csp_hash": lambda text: (
        f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"
    ),
    "code": lambda text: Markup(re.sub("`(.*?)`", r"<code>\1</code>", str(escape(text)))),  # noqa: S704
    "yaml": lambda data: OmegaConf.to_yaml(OmegaConf.create(data)),
}


@with_lineage
def render_report(
    metrics: Mapping[str, Any],
    corruptions: pd.DataFrame,
    confidences: pd.DataFrame,
    layers: pd.DataFrame,
    run: Mapping[str, Any],
    test: LabeledImages,
    predictions: pd.DataFrame,
    embedded_digits: pd.DataFrame,
    sections: Mapping[str, Sequence[str]],
    **figures: Picture,
) -> str:
    """Render the report: one self-contained HTML page, which loads nothing.

    Args:
        metrics: the content of ``metrics.json``; the report is about the first model.
        corruptions: the table ``corruption_accuracies``.
        confidences: the table ``out_of_distribution_confidences``.
        layers: the table of the first model's layers.
        run: id, parameters, code and machine of the run.
        test: the test split.
        predictions: of the first model, a row for each test digit.
        embedded_digits: the table of the first model's embedding.
        sections: names of the figures, by section title. The page draws ``worst_mistakes`` and
            ``embedding`` itself, so that readers can filter and explore them.
        figures: the figures, as ``figure_<name>``, so that no name is that of another argument.
    """
    pictures = {key.removeprefix("figure_"): picture for key, picture in figures.items()}
    variables = _template_variables(metrics, corruptions, confidences, layers)
    template = ENVIRONMENT.get_template("report.html.jinja")
    return template.render(
        variables,
        run=run,
        pictures=pictures,
        sections=sections,
        mistakes=collect_mistakes(test, predictions),
        embedding=place_points(test, embedded_digits),
    )


@with_lineage
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
    return ENVIRONMENT.get_template("model_card.md.jinja").render(variables, run=run)


def _template_variables(
    metrics: Mapping[str, Any],
    corruptions: pd.DataFrame,
    confidences: pd.DataFrame,
    layers: pd.DataFrame,
) -> dict[str, Any]:
    name = next(iter(metrics["models"]))
    pairs = {pair.partition("_vs_"): value for pair, value in metrics["comparison"].items()}
    return {
        "name": name,
        "title": model_title(name),
        "model": metrics["models"][name],
        "models": metrics["models"],
        "record": metrics["training_records"][name],
        "columns": COLUMNS,
        "rows": {
            model: [
                column.format.format(
                    **values,
                    interval=interval(values["accuracy_ci95"]),
                    temperature=_format_temperature(values),
                )
                for column in COLUMNS
            ]
            for model, values in metrics["models"].items()
        },
        "comparisons": {
            other: value for (first, _, other), value in pairs.items() if first == name
        },
        "data": metrics["data"],
        "leaked": LEAKED in metrics["data"].get("warnings", ""),
        "test_given": metrics["data"]["test_split"] == GIVEN,
        "severity": MIDDLE_SEVERITY,
        "robustness": summarize_robustness(corruptions),
        "confident": _summarize_confidences(confidences[confidences["model"] == name]),
        "layers": layers.to_dict("records"),
    }


def _format_temperature(metrics: Mapping[str, Any]) -> str:
    scaling = metrics.get("temperature_scaling")  # an ensemble has none
    return f"{scaling['temperature']:.2f}" if scaling else "–"


def _summarize_confidences(confidences: pd.DataFrame) -> dict[str, Any]:
    """Return the kind of non-digit images of which a model is sure most often, and how often.

    Also return how many images the digit detector flags; None in tables of earlier versions.
    """
    others = confidences[confidences["kind"] != "digits"]
    sure = (others["confidence"] > _HIGH_CONFIDENCE).groupby(others["kind"], sort=False).mean()
    return {
        "confidence": _HIGH_CONFIDENCE,
        "kind": sure.idxmax(),
        "images": int((others["kind"] == sure.idxmax()).sum()),
        "digits": len(confidences) - len(others),
        "others": len(others),
        "share": sure.max(),
        "flagged": confidences.groupby(confidences["kind"] == "digits")["is_digit"].mean().rsub(1)
        if "is_digit" in confidences
        else None,
    }
