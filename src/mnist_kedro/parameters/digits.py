"""The parameters of the ingestion and of the validation split."""

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from mnist_kedro.parameter_types import Fraction, Group, Seed

Background = Literal["auto", "dark", "light"]
Orientation = Literal[
    "auto",
    "as_is",
    "transposed",
    "flipped_horizontally",
    "flipped_vertically",
    "rotated_90",
    "rotated_180",
    "rotated_270",
    "transposed_180",
]
_Digit = Annotated[int, Field(ge=0, le=9)]
_Number = Annotated[float, Field(allow_inf_nan=False)]


class KeysParameters(Group):
    """The keys of the arrays in a source file whose keys cannot be recognized."""

    x_train: str
    y_train: str
    x_validation: str | None = None
    y_validation: str | None = None
    x_test: str | None = None
    y_test: str | None = None

    @model_validator(mode="after")
    def _check_pairs(self) -> Self:
        for split in ("validation", "test"):
            images, labels = getattr(self, f"x_{split}"), getattr(self, f"y_{split}")
            if (images is None) != (labels is None):
                raise ValueError(f"x_{split} and y_{split} should be given together")
        return self


class RemoteParameters(Group):
    """The limits for copying a remote file, and the digest of the file."""

    max_bytes: PositiveInt
    timeout_seconds: PositiveFloat
    total_seconds: PositiveFloat
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None


class IngestionParameters(Group):
    """The source of the digits, and the limits for reading and downloading it."""

    source: Annotated[str, Field(min_length=1)]
    keys: KeysParameters | None
    orientation: Orientation
    background: Background
    pixel_range: tuple[_Number, _Number] | None
    labels: Literal["auto", "as_is"] | tuple[_Digit, ...]
    allow_missing_classes: bool
    remote: RemoteParameters
    max_digits: PositiveInt
    test_fraction: Fraction
    seed: Seed
    search_folder: str
    download_folder: str
    mirrors: tuple[str, ...]
    timeout_seconds: PositiveFloat
    attempts: PositiveInt
    mirror_seconds: PositiveFloat

    @model_validator(mode="after")
    def _check_pixel_range(self) -> Self:
        if self.pixel_range and self.pixel_range[0] >= self.pixel_range[1]:
            raise ValueError("pixel_range should be [LOW, HIGH] with LOW below HIGH")
        return self


class DataProcessingParameters(Group):
    """The split of the training digits into training and validation."""

    validation_fraction: Fraction
    seed: Seed
