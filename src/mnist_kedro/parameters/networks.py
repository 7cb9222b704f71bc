"""What each network has of its own."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt, RootModel

from mnist_kedro.parameters.group import Group


class CnnParameters(Group):
    """A convolutional network: the filters of its convolutions, the units of its dense layer."""

    architecture: Literal["cnn"]
    filters: Annotated[tuple[PositiveInt, ...], Field(min_length=2, max_length=5)]
    units: PositiveInt


class DenseParameters(Group):
    """A fully connected network: the units of its hidden layers."""

    architecture: Literal["dense"]
    units: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]


class Lenet5Parameters(Group):
    """LeNet-5, whose sizes are given."""

    architecture: Literal["lenet5"]


class ResnetParameters(Group):
    """A residual network: the filters of its stages."""

    architecture: Literal["resnet"]
    filters: Annotated[tuple[PositiveInt, ...], Field(min_length=1, max_length=4)]


class CapsnetParameters(Group):
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


class ModelParameters(Group):
    """What one model has of its own."""

    network: NetworkParameters
