"""Any picture of a digit as a picture of MNIST: one preparation, wherever a picture comes from."""

from mnist_kedro.pictures.decode import PictureError, decode_picture
from mnist_kedro.pictures.digit import prepare_digit
from mnist_kedro.pictures.split import FoundDigit, find_digits

__all__ = ["FoundDigit", "PictureError", "decode_picture", "find_digits", "prepare_digit"]
