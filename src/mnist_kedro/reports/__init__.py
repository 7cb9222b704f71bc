"""The report and the model card: what is known about a model, for people to read."""

from mnist_kedro.reports.render import FIGURES, render_model_card, render_report

__all__ = ["FIGURES", "render_model_card", "render_report"]
