"""Where the digits come from, and how they are divided."""

from typing import Annotated, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from mnist_kedro.parameter_types import Fraction, Group, Seed


class KeysParameters(Group):
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


class IngestionParameters(Group):
    """Where MNIST comes from."""

    source: Annotated[str, Field(min_length=1)]
    keys: KeysParameters | None
    max_digits: PositiveInt
    test_fraction: Fraction
    seed: Seed
    search_folder: str
    download_folder: str
    mirrors: tuple[str, ...]
    timeout_seconds: PositiveFloat
    attempts: PositiveInt
    mirror_seconds: PositiveFloat


class DataProcessingParameters(Group):
    """How the training digits are divided."""

    validation_fraction: Fraction
    seed: Seed
