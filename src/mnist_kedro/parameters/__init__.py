"""The parameters of ``conf/*/parameters_*.yml``, typed: one class a group.

Each field is described beside its value in ``conf/base``. A key that is not here, or a value out of
range, stops a run before any data is loaded.
"""

from mnist_kedro.parameters.adversarial import AdversarialParameters
from mnist_kedro.parameters.check import Parameters, check_parameters
from mnist_kedro.parameters.digits import (
    DataProcessingParameters,
    IngestionParameters,
    KeysParameters,
)
from mnist_kedro.parameters.generation import GenerationParameters
from mnist_kedro.parameters.inference import InferenceParameters
from mnist_kedro.parameters.networks import (
    CapsnetParameters,
    CnnParameters,
    DenseParameters,
    Lenet5Parameters,
    ModelParameters,
    NetworkParameters,
    ResnetParameters,
)
from mnist_kedro.parameters.reporting import ReportingParameters
from mnist_kedro.parameters.training import AugmentationParameters, TrainingParameters
from mnist_kedro.parameters.tuning import SearchedValues, TuningParameters

__all__ = [
    "AdversarialParameters",
    "AugmentationParameters",
    "CapsnetParameters",
    "CnnParameters",
    "DataProcessingParameters",
    "DenseParameters",
    "GenerationParameters",
    "InferenceParameters",
    "IngestionParameters",
    "KeysParameters",
    "Lenet5Parameters",
    "ModelParameters",
    "NetworkParameters",
    "Parameters",
    "ReportingParameters",
    "ResnetParameters",
    "SearchedValues",
    "TrainingParameters",
    "TuningParameters",
    "check_parameters",
]
