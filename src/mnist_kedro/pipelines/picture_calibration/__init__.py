"""Calibrate the models for pictures."""

from mnist_kedro.pipelines.picture_calibration.pipeline import create_pipeline

__all__ = ["create_pipeline"]
