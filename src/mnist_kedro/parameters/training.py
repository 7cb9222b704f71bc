"""The parameters of the training."""

from typing import Annotated, Literal

from pydantic import (
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    field_validator,
)

from mnist_kedro.parameter_types import Fraction, Group, Seed


class AugmentationParameters(Group):
    """The largest random changes of a training digit."""

    rotation: Annotated[float, Field(ge=0, le=180)]
    shift: Annotated[float, Field(ge=0, le=14)]
    zoom: Annotated[float, Field(ge=0, lt=1)]
    shear: Annotated[float, Field(ge=0, le=60)]
    elastic: Annotated[float, Field(ge=0, le=5)]
    erasing: Annotated[float, Field(ge=0, le=28)]

    @property
    def varies(self) -> bool:
        """Return whether digits are changed at all."""
        return any(self.model_dump().values())


class TrainingParameters(Group):
    """Which networks are trained, and how."""

    models: Annotated[tuple[str, ...], Field(min_length=1)]
    members: PositiveInt
    epochs: PositiveInt | Literal["auto"]
    batch_size: PositiveInt
    shuffle_buffer: PositiveInt
    learning_rate: PositiveFloat
    warmup_fraction: Fraction
    weight_decay: NonNegativeFloat
    augmentation: AugmentationParameters
    unaugmented_fraction: Annotated[float, Field(ge=0, le=1)]
    mixed_bfloat16: bool | Literal["auto"]
    seed: Seed
    resume: bool
    tensorboard: bool

    @field_validator("models")
    @classmethod
    def _names_each_once(cls, models: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(models)) < len(models):
            raise ValueError("should name each model once")
        return models

    def augmented_epochs(self, epochs: int) -> int:
        """Return how many epochs, the first ones, are trained on augmented digits."""
        plain = round(epochs * self.unaugmented_fraction)
        return epochs - plain if self.augmentation.varies else 0
