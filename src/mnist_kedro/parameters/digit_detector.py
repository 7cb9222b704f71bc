"""The parameters of the network that tells digits from everything else."""

from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from mnist_kedro.parameter_types import Fraction, Group, Seed
from mnist_kedro.parameters.training import AugmentationParameters


class DigitDetectorParameters(Group):
    """The simulated examples, and the training on them."""

    examples: PositiveInt
    epochs: PositiveInt
    batch_size: PositiveInt
    learning_rate: PositiveFloat
    warmup_fraction: Fraction
    weight_decay: NonNegativeFloat
    augmentation: AugmentationParameters
    seed: Seed
