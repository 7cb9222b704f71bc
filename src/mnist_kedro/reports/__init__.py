"""The report and the model card: what is known about a model, for people to read."""

from mnist_kedro.reports.render import render_model_card, render_report

__all__ = ["render_model_card", "render_report"]
