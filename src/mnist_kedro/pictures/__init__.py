"""Convert pictures of digits to MNIST's form, in the same way for every source of pictures."""

from mnist_kedro.pictures.decode import PictureError, decode_picture
from mnist_kedro.pictures.digit import prepare_digit
from mnist_kedro.pictures.split import FoundDigit, find_digits

__all__ = ["FoundDigit", "PictureError", "decode_picture", "find_digits", "prepare_digit"]
