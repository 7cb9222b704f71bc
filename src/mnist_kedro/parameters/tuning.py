"""What is searched for a better recipe."""

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


class _Search(Group):
    """Values for the fields of another group; what is not named is not searched."""

    searched: ClassVar[type[Group]]

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


class TuningParameters(Group):
    """The search for a better recipe."""

    trials: PositiveInt
    searches: PositiveInt
    seed: Seed
    search: TrainingSearch

    @field_validator("searches")
    @classmethod
    def _have_a_trial_each(cls, searches: int, info: ValidationInfo) -> int:
        if searches > info.data.get("trials", searches):
            raise ValueError("should not be more than trials")
        return searches

    @field_validator("search")
    @classmethod
    def _searches_something(cls, search: TrainingSearch) -> TrainingSearch:
        if not search.spaces:
            raise ValueError("should name a parameter of training")
        return search
