"""The parameters of ``conf/*/parameters_*.yml``, typed: one class a group.

Each field is described beside its value in ``conf/base``. A key that is not here, or a value out of
range, stops a run before any data is loaded.
"""

import difflib
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    RootModel,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from mnist_kedro.errors import InputError

Fraction = Annotated[float, Field(gt=0, lt=1)]


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KeysParameters(_Group):
    """Under which names a file holds the arrays, where it does not tell by itself."""

    x_train: str
    y_train: str
    x_validation: str | None = None
    y_validation: str | None = None
    x_test: str | None = None
    y_test: str | None = None

    @model_validator(mode="after")
    def _go_in_pairs(self) -> Self:
        for split in ("validation", "test"):
            names = getattr(self, f"x_{split}"), getattr(self, f"y_{split}")
            if (names[0] is None) != (names[1] is None):
                raise ValueError(f"x_{split} and y_{split} should be given together")
        return self


class IngestionParameters(_Group):
    """Where MNIST comes from."""

    source: Annotated[str, Field(min_length=1)]
    keys: KeysParameters | None
    max_digits: PositiveInt
    test_fraction: Fraction
    seed: NonNegativeInt
    search_folder: str
    mirrors: tuple[str, ...]
    timeout_seconds: PositiveFloat
    attempts: PositiveInt
    mirror_seconds: PositiveFloat


class DataProcessingParameters(_Group):
    """How the training digits are divided."""

    validation_fraction: Fraction
    seed: NonNegativeInt


class AugmentationParameters(_Group):
    """Largest random changes of a training digit."""

    rotation: Annotated[float, Field(ge=0, le=180)]
    shift: Annotated[float, Field(ge=0, le=14)]
    zoom: Annotated[float, Field(ge=0, lt=1)]
    shear: Annotated[float, Field(ge=0, le=60)]
    elastic: Annotated[float, Field(ge=0, le=5)]
    erasing: Annotated[float, Field(ge=0, le=28)]


ModelName = Literal["cnn", "dense", "lenet5", "resnet", "capsnet"]


class TrainingParameters(_Group):
    """Which networks are trained, and how every one of them is."""

    models: Annotated[tuple[ModelName, ...], Field(min_length=1)]
    members: PositiveInt
    epochs: PositiveInt | Literal["auto"]
    batch_size: PositiveInt
    learning_rate: PositiveFloat
    warmup_fraction: Fraction
    weight_decay: NonNegativeFloat
    augmentation: AugmentationParameters
    unaugmented_fraction: Annotated[float, Field(ge=0, le=1)]
    mixed_bfloat16: bool | Literal["auto"]
    seed: NonNegativeInt
    resume: bool

    @field_validator("models")
    @classmethod
    def _names_each_once(cls, models: tuple[ModelName, ...]) -> tuple[ModelName, ...]:
        if len(set(models)) < len(models):
            raise ValueError("should name each model once")
        return models


class CnnParameters(_Group):
    """A convolutional network: the filters of its convolutions, the units of its dense layer."""

    architecture: Literal["cnn"]
    filters: tuple[PositiveInt, PositiveInt, PositiveInt]
    units: PositiveInt


class DenseParameters(_Group):
    """A fully connected network: the units of its hidden layers."""

    architecture: Literal["dense"]
    units: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]


class Lenet5Parameters(_Group):
    """LeNet-5, whose sizes are given."""

    architecture: Literal["lenet5"]


class ResnetParameters(_Group):
    """A residual network: the filters of its stages."""

    architecture: Literal["resnet"]
    filters: Annotated[tuple[PositiveInt, ...], Field(min_length=1, max_length=4)]


class CapsnetParameters(_Group):
    """A capsule network: the filters of its four convolutions; the last make capsules of 8."""

    architecture: Literal["capsnet"]
    filters: tuple[
        PositiveInt, PositiveInt, PositiveInt, Annotated[PositiveInt, Field(multiple_of=8)]
    ]


class NetworkParameters(
    RootModel[
        Annotated[
            CnnParameters
            | DenseParameters
            | Lenet5Parameters
            | ResnetParameters
            | CapsnetParameters,
            Field(discriminator="architecture"),
        ]
    ]
):
    """One of the networks, told apart by ``architecture``."""


class ModelParameters(_Group):
    """What one model has of its own."""

    network: NetworkParameters


class SearchedValues(_Group):
    """The values that a search may choose from: between two numbers, or one of several."""

    low: float | int | None = None
    high: float | int | None = None
    log: bool = False
    choices: Annotated[tuple[float | int, ...], Field(min_length=2)] | None = None

    @model_validator(mode="after")
    def _is_one_of_the_two(self) -> Self:
        between = self.low is not None and self.high is not None and self.low < self.high
        if between == (self.choices is not None):
            raise ValueError("should have a low and a higher high, or choices")
        if self.log and (self.low is None or self.low <= 0):
            raise ValueError("should have a low above 0 for log")
        return self

    @property
    def extremes(self) -> tuple[float | int, ...]:
        """The values that all others lie between."""
        return self.choices or (self.low or 0, self.high or 0)


class _Search(_Group):
    """Values for the fields of another group; what is not named is not searched."""

    searched: ClassVar[type[_Group]]

    @field_validator("*")
    @classmethod
    def _allows_what_the_field_allows(cls, values: Any, info: ValidationInfo) -> Any:
        if isinstance(values, SearchedValues) and info.field_name:
            field = cls.searched.model_fields[info.field_name]
            annotation: Any = Annotated[field.annotation, *field.metadata]
            allowed: TypeAdapter[Any] = TypeAdapter(annotation)
            for value in values.extremes:
                allowed.validate_python(value)
        return values


class AugmentationSearch(_Search):
    """Values for ``training.augmentation``."""

    searched = AugmentationParameters
    rotation: SearchedValues | None = None
    shift: SearchedValues | None = None
    zoom: SearchedValues | None = None
    shear: SearchedValues | None = None
    elastic: SearchedValues | None = None
    erasing: SearchedValues | None = None


class TrainingSearch(_Search):
    """Values for ``training``."""

    searched = TrainingParameters
    epochs: SearchedValues | None = None
    batch_size: SearchedValues | None = None
    learning_rate: SearchedValues | None = None
    warmup_fraction: SearchedValues | None = None
    weight_decay: SearchedValues | None = None
    augmentation: AugmentationSearch = AugmentationSearch()
    unaugmented_fraction: SearchedValues | None = None

    @property
    def spaces(self) -> dict[str, SearchedValues]:
        """What is searched, by its name within ``training``."""
        own = {name: getattr(self, name) for name in type(self).model_fields}
        augmentation = own.pop("augmentation")
        own |= {f"augmentation.{name}": values for name, values in augmentation}
        return {name: values for name, values in own.items() if values is not None}


class TuningParameters(_Group):
    """The search for a better recipe."""

    trials: PositiveInt
    seed: NonNegativeInt
    search: TrainingSearch

    @field_validator("search")
    @classmethod
    def _searches_something(cls, search: TrainingSearch) -> TrainingSearch:
        if not search.spaces:
            raise ValueError("should name a parameter of training")
        return search


class ReportingParameters(_Group):
    """What the figures show."""

    examples: PositiveInt
    mistakes: PositiveInt


class Parameters(_Group):
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


def check_parameters(parameters: dict[str, Any]) -> None:
    """Check all parameters of a run at once.

    Raises:
        InputError: one line that names each parameter that is unknown, missing or out of range.
    """
    try:
        Parameters.model_validate(parameters)
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
    return {name for group in _Group.__subclasses__() for name in group.model_fields}
