"""Render the report and the model card of a run."""

from mnist_kedro.reports.render import render_model_card, render_report

__all__ = ["render_model_card", "render_report"]
