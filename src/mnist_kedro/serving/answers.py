"""Classify pictures and format the predictions as JSON objects."""

import base64
import logging
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnist_kedro.pictures import PictureError, find_digits
from mnist_kedro.pictures.decode import GrayPicture
from mnist_kedro.pictures.digit import Prepared, prepare
from mnist_kedro.pictures.ink import find_ink
from mnist_kedro.pictures.split import FoundDigit
from mnist_kedro.pictures.thumbnail import color_ink
from mnist_kedro.serving.bodies import SERVER_ERROR, RequestError
from mnist_kedro.serving.model import Model

logger = logging.getLogger(__name__)


def classify_picture(model: Model, picture: GrayPicture) -> dict[str, Any]:
    """Classify a picture of one digit.

    Raises:
        RequestError: if the picture is blank or cannot be prepared.
    """
    (prediction,) = classify_pictures(model, [picture])
    if isinstance(prediction, RequestError):
        raise prediction
    return prediction


def classify_pictures(
    model: Model, pictures: Sequence[GrayPicture | RequestError]
) -> list[dict[str, Any] | RequestError]:
    """Return the prediction, or the error, of each picture of one digit; pass errors through."""
    prepared = [_prepare_or_error(picture) for picture in pictures]
    valid = [item for item in prepared if not isinstance(item, RequestError)]
    predictions = iter(_classify(model, valid))
    return [
        item if isinstance(item, RequestError) else {**next(predictions), "several": item.several}
        for item in prepared
    ]


def classify_all_digits(
    model: Model, picture: GrayPicture, *, with_ink: bool = False
) -> dict[str, Any]:
    """Classify all digits of a picture, in reading order, and return them with bounding boxes.

    Args:
        model: classifies the digits.
        picture: ``(height, width)`` uint8.
        with_ink: whether to return the ink that was found, as a data URL of a picture to lay over
            the given one.

    Raises:
        RequestError: if the picture has too many strokes.
    """
    try:
        found = find_digits(picture)
    except PictureError as error:
        raise RequestError(422, "unreadable_picture", str(error)) from error
    predictions = _classify(model, found)
    shown = {"ink": _encode(color_ink(find_ink(picture).ink))} if with_ink else {}
    return {
        **shown,
        "text": "".join(str(prediction["digit"]) for prediction in predictions),
        "width": picture.shape[1],
        "height": picture.shape[0],
        "digits": [
            {**prediction, "box": list(digit.box)}
            for prediction, digit in zip(predictions, found, strict=True)
        ],
    }


def _encode(colored: NDArray[np.uint8]) -> str:
    file = BytesIO()
    Image.fromarray(colored).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _prepare_or_error(picture: GrayPicture | RequestError) -> Prepared | RequestError:
    if isinstance(picture, RequestError):
        return picture
    try:
        prepared = prepare(picture)
    except Exception:  # One picture must not prevent the others from being classified.
        logger.exception("Cannot prepare a picture.")
        return RequestError(500, "internal_server_error", SERVER_ERROR)
    if prepared is None:
        return RequestError(422, "blank", "blank: nothing is written")
    return prepared


def _classify(model: Model, digits: Sequence[Prepared | FoundDigit]) -> list[dict[str, Any]]:
    if not digits:
        return []
    pixels = np.stack([digit.pixels for digit in digits])
    in_mnist_form = np.array([digit.in_mnist_form for digit in digits])
    calibrated = model.predict(pixels, in_mnist_form)
    thresholds = model.confidence_thresholds(in_mnist_form)
    return [
        {
            "digit": int(digit),
            "confidence": round(float(probabilities[digit]), 7),
            "sure": bool(probabilities[digit] >= threshold and is_digit is not False),
            "candidates": candidates,
            "is_digit": is_digit,
            "digit_score": None if is_digit is None else round(float(score), 4),
            "probabilities": [round(float(probability), 7) for probability in probabilities],
            "input": image.tolist(),
        }
        for probabilities, digit, candidates, score, is_digit, image, threshold in zip(
            *calibrated, pixels, thresholds, strict=True
        )
    ]
