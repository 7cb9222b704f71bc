"""The parameters of the digit detector, which distinguishes digits from other images."""

from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from mnist_kedro.parameter_types import Fraction, Group, Seed
from mnist_kedro.parameters.training import AugmentationParameters


class DigitDetectorParameters(Group):
    """The number of simulated examples, and the training on them."""

    examples: PositiveInt
    epochs: PositiveInt
    batch_size: PositiveInt
    learning_rate: PositiveFloat
    warmup_fraction: Fraction
    weight_decay: NonNegativeFloat
    augmentation: AugmentationParameters
    seed: Seed
