"""The parameters of the calibration on simulated photos."""

from pydantic import PositiveInt

from mnist_kedro.parameter_types import Group, Seed


class PictureCalibrationParameters(Group):
    """The validation digits that are photographed."""

    digits: PositiveInt
    seed: Seed
