"""Render the report and the model card of a run."""

from mnist_kedro.reports.render import DRAWN_BY_THE_PAGE, render_model_card, render_report

__all__ = ["DRAWN_BY_THE_PAGE", "render_model_card", "render_report"]
