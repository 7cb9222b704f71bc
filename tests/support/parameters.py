"""Parameters of ``--env smoke``, and changes of them for tests."""

from pathlib import Path
from typing import Any

from kedro.config import OmegaConfigLoader

from mnist_kedro.metrics.picture_calibration import PictureCalibration
from mnist_kedro.parameters import (
    AugmentationParameters,
    IngestionParameters,
    Parameters,
    TrainingParameters,
    TuningParameters,
)
from mnist_kedro.settings import CONFIG_LOADER_ARGS
from tests.support.paths import ROOT


def configured(env: str) -> dict[str, Any]:
    """Load all parameters of an environment."""
    loader = OmegaConfigLoader(conf_source=str(ROOT / "conf"), env=env, **CONFIG_LOADER_ARGS)
    return loader["parameters"]


SMOKE = Parameters.model_validate(configured("smoke"))
REPORTING = SMOKE.reporting.model_copy(
    update={"examples": 10, "mistakes": 5, "robustness_digits": 100}
)


def ingestion(source: str | Path, **changes: Any) -> IngestionParameters:
    """Make parameters of ``ingestion`` that reach no network and no file but ``source``."""
    values = {
        "source": str(source),
        "search_folder": "nowhere",
        "download_folder": "nowhere",
        "mirrors": (),
        "attempts": 1,
        "timeout_seconds": 1,
        "max_digits": 100_000,
    }
    return IngestionParameters.model_validate({**SMOKE.ingestion.model_dump(), **values, **changes})


def augmentation(**amounts: float) -> AugmentationParameters:
    """Make parameters of an augmentation by these amounts alone."""
    nothing = dict.fromkeys(AugmentationParameters.model_fields, 0)
    return AugmentationParameters(**{**nothing, **amounts})


def training(**changes: Any) -> TrainingParameters:
    """Make parameters of a training of one epoch without augmentation."""
    values = {
        "epochs": 1,
        "batch_size": 100,
        "shuffle_buffer": 10_000,
        "learning_rate": 0.004,
        "augmentation": augmentation(),
        "unaugmented_fraction": 0,
        "mixed_bfloat16": False,
    }
    return TrainingParameters.model_validate({**SMOKE.training.model_dump(), **values, **changes})


def tuning(trials: int, **search: Any) -> TuningParameters:
    """Make parameters of a search, by default of three parameters."""
    default = {
        "batch_size": {"choices": [20, 50]},
        "learning_rate": {"low": 0.0001, "high": 0.01, "log": True},
        "augmentation": {"rotation": {"low": 0, "high": 20}},
    }
    options = {"trials": trials, "seed": 0, "search": search or default}
    return TuningParameters.model_validate(options)


CALIBRATION = PictureCalibration(
    digit_threshold=0.6,
    temperature=2.0,
    candidate_threshold=0.1,
    confidence_threshold=0.95,
    photographed_digits=400,
    photographed_accuracy=0.9,
)
