"""What a model says of pictures, as it is sent to clients."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_kedro.contracts import CLASSES, Pixels
from mnist_kedro.pictures import PictureError, find_digits, prepare_digit
from mnist_kedro.pictures.decode import Grey
from mnist_kedro.serving.bodies import FAULT, RequestError
from mnist_kedro.serving.model import Model

logger = logging.getLogger(__name__)


def read_one(model: Model, picture: Grey) -> dict[str, Any]:
    """The digit of a picture that has one.

    Raises:
        RequestError: when nothing is written.
    """
    (answer,) = read_many(model, [picture])
    if isinstance(answer, RequestError):
        raise answer
    return answer


def read_many(
    model: Model, pictures: Sequence[Grey | RequestError]
) -> list[dict[str, Any] | RequestError]:
    """The digit of each picture, or what is wrong with it."""
    prepared = [_prepare(picture) for picture in pictures]
    readable = [pixels for pixels in prepared if not isinstance(pixels, RequestError)]
    answers = iter(_answer(model, readable))
    return [pixels if isinstance(pixels, RequestError) else next(answers) for pixels in prepared]


def read_all(model: Model, picture: Grey) -> dict[str, Any]:
    """All digits of a picture in the order of reading, and where they are.

    Raises:
        RequestError: when there is too much on it.
    """
    try:
        found = find_digits(picture)
    except PictureError as error:
        raise RequestError(422, "unreadable_picture", str(error)) from error
    answers = _answer(model, [digit.pixels for digit in found])
    return {
        "text": "".join(str(answer["digit"]) for answer in answers),
        "width": picture.shape[1],
        "height": picture.shape[0],
        "digits": [
            {**answer, "box": list(digit.box)} for answer, digit in zip(answers, found, strict=True)
        ],
    }


def _prepare(picture: Grey | RequestError) -> Pixels | RequestError:
    if isinstance(picture, RequestError):
        return picture
    try:
        pixels = prepare_digit(picture)
    except Exception:  # whatever it is, the other pictures are classified
        logger.exception("a picture cannot be prepared")
        return RequestError(500, "internal_server_error", FAULT)
    if pixels is None:
        return RequestError(422, "blank", "blank: nothing is written")
    return pixels


def _answer(model: Model, digits: Sequence[Pixels]) -> list[dict[str, Any]]:
    if not digits:
        return []
    pixels = np.stack(digits)
    threshold = model.description["confidence_threshold"]
    return [
        _describe(row, shown, threshold)
        for row, shown in zip(model.probabilities(pixels), pixels, strict=True)
    ]


def _describe(
    probabilities: NDArray[np.float32], pixels: Pixels, threshold: float
) -> dict[str, Any]:
    digit = int(probabilities.argmax())
    return {
        "digit": digit,
        "confidence": round(float(probabilities[digit]), 7),
        "sure": bool(probabilities[digit] >= threshold),
        "probabilities": [round(float(probabilities[i]), 7) for i in range(CLASSES)],
        "input": pixels.tolist(),
    }
