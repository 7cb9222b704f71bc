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
    """The amounts of the random transformations of a training digit."""

    rotation: Annotated[float, Field(ge=0, le=180)]
    shift: Annotated[float, Field(ge=0, le=14)]
    zoom: Annotated[float, Field(ge=0, lt=1)]
    shear: Annotated[float, Field(ge=0, le=60)]
    elastic: Annotated[float, Field(ge=0, le=5)]
    thickness: Annotated[float, Field(ge=0, le=1)]
    photographed: Annotated[float, Field(ge=0, le=1)]
    damaged: Annotated[float, Field(ge=0, le=1)]

    @property
    def enabled(self) -> bool:
        """Return whether any amount is above 0."""
        return any(self.model_dump().values())


class TrainingParameters(Group):
    """The networks to train, and the training parameters that they share."""

    models: Annotated[tuple[str, ...], Field(min_length=1)]
    members: PositiveInt
    epochs: PositiveInt | Literal["auto"]
    batch_size: PositiveInt
    shuffle_buffer: PositiveInt
    learning_rate: PositiveFloat
    warmup_fraction: Fraction
    weight_decay: NonNegativeFloat
    label_smoothing: Annotated[float, Field(ge=0, lt=1)]
    ema_momentum: Annotated[float, Field(ge=0, lt=1)]
    augmentation: AugmentationParameters
    unaugmented_fraction: Annotated[float, Field(ge=0, le=1)]
    mixed_bfloat16: bool | Literal["auto"]
    seed: Seed
    resume: bool
    tensorboard: bool

    @field_validator("models")
    @classmethod
    def _check_unique(cls, models: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(models)) < len(models):
            raise ValueError("should name each model once")
        return models

    def augmented_epochs(self, epochs: int) -> int:
        """Return the number of first epochs that train on augmented digits."""
        unaugmented = round(epochs * self.unaugmented_fraction)
        return epochs - unaugmented if self.augmentation.enabled else 0
