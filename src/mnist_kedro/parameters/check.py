"""All parameters at once, and what is wrong with them in one line."""

import difflib
from typing import Any

from pydantic import ValidationError

from mnist_kedro.errors import InputError
from mnist_kedro.parameters.adversarial import AdversarialParameters
from mnist_kedro.parameters.digits import DataProcessingParameters, IngestionParameters
from mnist_kedro.parameters.generation import GenerationParameters
from mnist_kedro.parameters.group import Group
from mnist_kedro.parameters.inference import InferenceParameters
from mnist_kedro.parameters.networks import ModelParameters
from mnist_kedro.parameters.reporting import ReportingParameters
from mnist_kedro.parameters.training import TrainingParameters
from mnist_kedro.parameters.tuning import TuningParameters


class Parameters(Group):
    """All parameters of the project."""

    ingestion: IngestionParameters
    data_processing: DataProcessingParameters
    training: TrainingParameters
    cnn: ModelParameters
    dense: ModelParameters
    lenet5: ModelParameters
    resnet: ModelParameters
    capsnet: ModelParameters
    tuning: TuningParameters
    reporting: ReportingParameters
    adversarial: AdversarialParameters
    inference: InferenceParameters
    generation: GenerationParameters


def check_parameters(parameters: dict[str, Any]) -> Parameters:
    """Check all parameters of a run at once, and return them typed.

    Raises:
        InputError: one line that names each parameter that is unknown, missing or out of range.
    """
    try:
        return Parameters.model_validate(parameters)
    except ValidationError as error:
        problems: dict[str, list[Any]] = {}
        for problem in error.errors():
            problems.setdefault(_name(problem, parameters), []).append(problem)
        lines = (f"parameter '{name}' {_explain(why)}" for name, why in problems.items())
        raise InputError(f"{'; '.join(lines)} (see conf/base/parameters_*.yml).") from error


def _name(problem: Any, parameters: dict[str, Any]) -> str:
    """The parameter's name as it is, or should be, written in the file."""
    keys = _written_keys(problem["loc"], parameters)
    if problem["type"] == "missing":
        keys.append(str(problem["loc"][-1]))
    if problem["type"] == "union_tag_invalid":
        keys.append("architecture")
    return ".".join(keys)


def _explain(problems: list[Any]) -> str:
    """What is wrong with one parameter; of a union type it has a problem with each branch."""
    first = problems[0]
    match first["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            close = difflib.get_close_matches(str(first["loc"][-1]), _known_names(), n=1)
            return "is unknown" + (f", did you mean '{close[0]}'?" if close else "")
        case "union_tag_invalid":
            context = first["ctx"]
            return f"is '{context['tag']}', but should be one of {context['expected_tags']}"
        case _:
            reasons = (problem["msg"].removeprefix("Input ") for problem in problems)
            return f"is {first['input']!r}, but {' or '.join(reasons)}"


def _written_keys(location: tuple[Any, ...], parameters: Any) -> list[str]:
    """The keys of a location that the file has: Pydantic adds one for each branch of a union."""
    keys = []
    for key in location:
        in_dict = isinstance(parameters, dict) and key in parameters
        in_list = isinstance(parameters, list) and key in range(len(parameters))
        if in_dict or in_list:
            parameters = parameters[key]
            keys.append(str(key))
    return keys


def _known_names() -> set[str]:
    return {name for group in Group.__subclasses__() for name in group.model_fields}
