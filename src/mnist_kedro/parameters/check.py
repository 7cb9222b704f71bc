"""Check all parameters of a run, and report all problems in one line."""

import difflib
import re
from collections.abc import Iterator
from typing import Any

from pydantic import ConfigDict, Field, ValidationError

from mnist_kedro.errors import InputError
from mnist_kedro.networks import NetworkParameters
from mnist_kedro.parameter_types import Group
from mnist_kedro.parameters.adversarial import AdversarialParameters
from mnist_kedro.parameters.data_quality import DataQualityParameters
from mnist_kedro.parameters.digit_detector import DigitDetectorParameters
from mnist_kedro.parameters.digits import DataProcessingParameters, IngestionParameters
from mnist_kedro.parameters.inference import InferenceParameters
from mnist_kedro.parameters.ink_finder import InkFinderParameters
from mnist_kedro.parameters.picture_calibration import PictureCalibrationParameters
from mnist_kedro.parameters.promotion import PromotionParameters
from mnist_kedro.parameters.reporting import ReportingParameters
from mnist_kedro.parameters.teaching import TeachingParameters
from mnist_kedro.parameters.training import TrainingParameters
from mnist_kedro.parameters.tuning import TuningParameters

# The name of a model becomes a namespace and part of file names; ensembles and their members have
# the excluded endings.
_MODEL_NAME = re.compile("(?!.*_([0-9]+|ensemble)$)[a-z][a-z0-9_]*")


class ModelParameters(Group):
    """The parameters of one model: its network."""

    network: NetworkParameters


class Parameters(Group):
    """All parameters of the project; each additional group is named after its model."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, ModelParameters] = Field(init=False)

    ingestion: IngestionParameters
    data_processing: DataProcessingParameters
    training: TrainingParameters
    tuning: TuningParameters
    reporting: ReportingParameters
    adversarial: AdversarialParameters
    inference: InferenceParameters
    picture_calibration: PictureCalibrationParameters
    promotion: PromotionParameters
    ink_finder: InkFinderParameters
    data_quality: DataQualityParameters
    digit_detector: DigitDetectorParameters
    teaching: TeachingParameters

    @property
    def networks(self) -> dict[str, NetworkParameters]:
        """Return the networks by the names of their models."""
        return {name: model.network for name, model in self.__pydantic_extra__.items()}


def check_parameters(parameters: dict[str, Any]) -> Parameters:
    """Check all parameters of a run, and convert them to typed parameters.

    Raises:
        InputError: if parameters are unknown, missing or out of range; one line names all of them.
    """
    unknown = [
        name
        for name, group in parameters.items()
        if name not in Parameters.model_fields
        and not (isinstance(group, dict) and "network" in group)
    ]
    problems = [f"parameter '{name}' {_describe_unknown(name)}" for name in unknown]
    known = {name: group for name, group in parameters.items() if name not in unknown}
    try:
        checked = Parameters.model_validate(known)
    except ValidationError as error:
        problems += _describe_problems(error, parameters)
    else:
        problems += _check_models(checked)
        if not problems:
            return checked
    raise InputError(f"{'; '.join(problems)} (see conf/base/parameters_*.yml).")


def _check_models(parameters: Parameters) -> list[str]:
    """Check the names of the models, and whether ``training.models`` exist."""
    problems = [
        f"parameter '{name}' is the name of a model, but should consist of a–z, 0–9 and "
        "_, start with a letter, and not end with _ensemble or with _ and a number"
        for name in parameters.networks
        if not _MODEL_NAME.fullmatch(name)
    ]
    known = ", ".join(f"'{name}'" for name in parameters.networks)
    return problems + [
        f"parameter 'training.models.{number}' is '{name}', but should be one of {known}"
        for number, name in enumerate(parameters.training.models)
        if name not in parameters.networks
    ]


def _describe_problems(error: ValidationError, parameters: dict[str, Any]) -> list[str]:
    problems: dict[str, list[Any]] = {}
    for problem in error.errors():
        problems.setdefault(_parameter_name(problem, parameters), []).append(problem)
    return [f"parameter '{name}' {_explain(group)}" for name, group in problems.items()]


def _parameter_name(problem: Any, parameters: dict[str, Any]) -> str:
    """Return the parameter's name as the file has it or, if it is missing, should have it."""
    keys = _written_keys(problem["loc"], parameters)
    if problem["type"] == "missing":
        keys.append(str(problem["loc"][-1]))
    if problem["type"] == "union_tag_invalid":
        keys.append("architecture")
    return ".".join(keys)


def _explain(problems: list[Any]) -> str:
    """Describe the problems of one parameter; a union type has one problem per branch."""
    first = problems[0]
    match first["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return _describe_unknown(str(first["loc"][-1]))
        case "union_tag_invalid":
            context = first["ctx"]
            return f"is '{context['tag']}', but should be one of {context['expected_tags']}"
        case _:
            reasons = (problem["msg"].removeprefix("Input ") for problem in problems)
            return f"is {first['input']!r}, but {' or '.join(reasons)}"


def _describe_unknown(name: str) -> str:
    known = {field for group in _all_groups(Group) for field in group.model_fields}
    close = difflib.get_close_matches(name, known, n=1)
    return "is unknown" + (f", did you mean '{close[0]}'?" if close else "")


def _all_groups(group: type[Group]) -> Iterator[type[Group]]:
    yield group
    for subclass in group.__subclasses__():
        yield from _all_groups(subclass)


def _written_keys(location: tuple[Any, ...], parameters: Any) -> list[str]:
    """Return the keys of a location without those that Pydantic adds for union branches."""
    keys = []
    for key in location:
        in_dict = isinstance(parameters, dict) and key in parameters
        in_list = isinstance(parameters, list) and key in range(len(parameters))
        if in_dict or in_list:
            parameters = parameters[key]
            keys.append(str(key))
    return keys
