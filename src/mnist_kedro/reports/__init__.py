"""The report and the model card: the results of a run, for people to read."""

from mnist_kedro.reports.render import render_model_card, render_report

__all__ = ["render_model_card", "render_report"]
