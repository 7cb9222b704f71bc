"""The typed parameters of ``conf/*/parameters_*.yml``: one class for each group.

``conf/base`` describes each field next to its value. A run with an unknown key or a value out of
range fails before any data is loaded. The parameters of the networks are in ``networks/``.
"""

from mnist_kedro.parameters.adversarial import AdversarialParameters
from mnist_kedro.parameters.check import Parameters, check_parameters
from mnist_kedro.parameters.data_quality import DataQualityParameters
from mnist_kedro.parameters.digit_detector import DigitDetectorParameters
from mnist_kedro.parameters.digits import (
    DataProcessingParameters,
    IngestionParameters,
    KeysParameters,
    RemoteParameters,
)
from mnist_kedro.parameters.inference import InferenceParameters
from mnist_kedro.parameters.ink_finder import InkFinderParameters
from mnist_kedro.parameters.picture_calibration import PictureCalibrationParameters
from mnist_kedro.parameters.promotion import PromotionParameters
from mnist_kedro.parameters.reporting import ReportingParameters
from mnist_kedro.parameters.teaching import TeachingParameters
from mnist_kedro.parameters.training import AugmentationParameters, TrainingParameters
from mnist_kedro.parameters.tuning import SearchedValues, TuningParameters

__all__ = [
    "AdversarialParameters",
    "AugmentationParameters",
    "DataProcessingParameters",
    "DataQualityParameters",
    "DigitDetectorParameters",
    "InferenceParameters",
    "IngestionParameters",
    "InkFinderParameters",
    "KeysParameters",
    "Parameters",
    "PictureCalibrationParameters",
    "PromotionParameters",
    "RemoteParameters",
    "ReportingParameters",
    "SearchedValues",
    "TeachingParameters",
    "TrainingParameters",
    "TuningParameters",
    "check_parameters",
]
