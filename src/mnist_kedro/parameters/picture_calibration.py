"""The parameters of the calibration on simulated photos."""

from pydantic import PositiveInt

from mnist_kedro.parameter_types import Group, Seed


class PictureCalibrationParameters(Group):
    """The number of digits in simulated photos, and the seed of the simulation."""

    digits: PositiveInt
    seed: Seed
