"""The parameters of the hyperparameter search."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    Field,
    PositiveInt,
    TypeAdapter,
    ValidationInfo,
    field_validator,
    model_validator,
)

from mnist_kedro.parameter_types import Group, Seed
from mnist_kedro.parameters.training import AugmentationParameters, TrainingParameters


class SearchedValues(Group):
    """The values to search for a parameter: a range, or a list of choices."""

    low: float | int | None = None
    high: float | int | None = None
    log: bool = False
    choices: Annotated[tuple[float | int, ...], Field(min_length=2)] | None = None

    @model_validator(mode="after")
    def _check_range_or_choices(self) -> Self:
        is_range = self.low is not None and self.high is not None and self.low < self.high
        if is_range == (self.choices is not None):
            raise ValueError("should have either low < high, or choices")
        if self.log and (self.low is None or self.low <= 0):
            raise ValueError("should have low > 0 if log is true")
        return self

    @property
    def choices_or_bounds(self) -> tuple[float | int, ...]:
        """Return the choices, or the lowest and the highest value of the range."""
        return self.choices or (self.low or 0, self.high or 0)


class _Search(Group):
    """The values to search for the fields of another group; None: do not search the field."""

    searched_group: ClassVar[type[Group]]

    @field_validator("*")
    @classmethod
    def _check_against_searched_field(cls, values: Any, info: ValidationInfo) -> Any:
        if isinstance(values, SearchedValues) and info.field_name:
            field = cls.searched_group.model_fields[info.field_name]
            annotation: Any = Annotated[field.annotation, *field.metadata]
            allowed: TypeAdapter[Any] = TypeAdapter(annotation)
            for value in values.choices_or_bounds:
                allowed.validate_python(value)
        return values


class AugmentationSearch(_Search):
    """The values to search for ``training.augmentation``."""

    searched_group = AugmentationParameters
    rotation: SearchedValues | None = None
    shift: SearchedValues | None = None
    zoom: SearchedValues | None = None
    shear: SearchedValues | None = None
    elastic: SearchedValues | None = None
    thickness: SearchedValues | None = None
    photographed: SearchedValues | None = None
    damaged: SearchedValues | None = None


class TrainingSearch(_Search):
    """The values to search for ``training``."""

    searched_group = TrainingParameters
    epochs: SearchedValues | None = None
    batch_size: SearchedValues | None = None
    learning_rate: SearchedValues | None = None
    warmup_fraction: SearchedValues | None = None
    weight_decay: SearchedValues | None = None
    label_smoothing: SearchedValues | None = None
    ema_momentum: SearchedValues | None = None
    augmentation: AugmentationSearch = AugmentationSearch()
    unaugmented_fraction: SearchedValues | None = None

    @property
    def spaces(self) -> dict[str, SearchedValues]:
        """Return the values to search, by the names of the parameters within ``training``."""
        spaces = {name: getattr(self, name) for name in type(self).model_fields}
        augmentation = spaces.pop("augmentation")
        spaces |= {f"augmentation.{name}": values for name, values in augmentation}
        return {name: values for name, values in spaces.items() if values is not None}


class TuningParameters(Group):
    """The number of trials, and the values to search."""

    trials: PositiveInt
    seed: Seed
    search: TrainingSearch

    @field_validator("search")
    @classmethod
    def _check_not_empty(cls, search: TrainingSearch) -> TrainingSearch:
        if not search.spaces:
            raise ValueError("should contain a parameter of training")
        return search
