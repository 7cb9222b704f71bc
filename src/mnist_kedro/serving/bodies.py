"""What clients send, as pictures; nothing in it is trusted."""

import base64
import json
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

import numpy as np
from flask import Request

from mnist_kedro.contracts import IMAGE_SIDE, Pixels
from mnist_kedro.pictures import PictureError, decode_picture
from mnist_kedro.pictures.decode import Grey, PixelBudget

MAX_BYTES = 8 * 1024**2  # of a request's body
MAX_DIGITS = 1000  # of a batch
MAX_PIXELS = 16_000_000  # of all pictures of a request, as they are decoded
# Of JSON for MAX_DIGITS pictures as pixels. Python parses all of it without letting other threads
# run, so more is refused before it is parsed.
_MAX_MARKS = {b"[": 30_000, b"{": 1000, b":": 1000, b",": 800_000}
FAULT = "a fault of the server, which it has logged"
_PICTURES = {f"image/{form}" for form in ("png", "jpeg", "bmp", "tiff", "webp")}


class RequestError(Exception):
    """What is wrong with a request: an HTTP status, a word for programs, a line for people."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def read_picture(request: Request) -> Grey:
    """The one picture of a request: a file, or JSON ``{"pixels": 28 × 28}``.

    Raises:
        RequestError: when it is neither.
    """
    if request.mimetype in _PICTURES:
        return _decode(request.get_data(cache=False), PixelBudget(MAX_PIXELS))
    return _one(_read_json(request))


def read_batch(request: Request) -> list[Grey | RequestError]:
    """The pictures of ``{"pixels": n × 28 × 28}`` or ``{"pictures": [base64, …]}``.

    Returns:
        Each picture, or what is wrong with it.

    Raises:
        RequestError: when the body is neither, or what it has are not 1 to 1,000 pictures.
    """
    body = _read_json(request)
    key, values = next(iter(body.items()), ("", None))
    if len(body) != 1 or key not in {"pixels", "pictures"} or not isinstance(values, list):
        raise RequestError(
            422,
            "wrong_type",
            'expected {"pixels": n × 28 × 28 whole numbers} or {"pictures": [base64, …]}, '
            f"found {_keys(body)}",
        )
    if not 0 < len(values) <= MAX_DIGITS:
        raise RequestError(
            422, "wrong_count", f"expected 1 to {MAX_DIGITS} pictures, found {len(values)}"
        )
    if key == "pixels":
        return [_or_error(_whole_numbers, value) for value in values]
    from_base64 = partial(_from_base64, budget=PixelBudget(MAX_PIXELS))
    return [_or_error(from_base64, value) for value in values]


def _or_error(read: Callable[[Any], Grey], value: Any) -> Grey | RequestError:
    try:
        return read(value)
    except RequestError as error:
        return error


def _from_base64(value: Any, budget: PixelBudget) -> Grey:
    try:
        data = base64.b64decode(value, validate=True)
    except (TypeError, ValueError) as error:
        raise RequestError(422, "wrong_type", "expected a base64 string") from error
    return _decode(data, budget)


def _decode(data: bytes, budget: PixelBudget) -> Grey:
    try:
        return decode_picture(data, budget)
    except PictureError as error:
        raise RequestError(422, "unreadable_picture", str(error)) from error


def _one(body: dict[str, Any]) -> Pixels:
    if body.keys() != {"pixels"}:
        raise RequestError(
            422, "wrong_type", f'expected {{"pixels": 28 × 28 whole numbers}}, found {_keys(body)}'
        )
    return _whole_numbers(body["pixels"])


def _keys(body: dict[str, Any]) -> str:
    return ", ".join(repr(key[:40]) for key in list(body)[:5]) or "nothing"


def _read_json(request: Request) -> dict[str, Any]:
    if request.mimetype != "application/json":
        raise RequestError(
            415,
            "unsupported_media_type",
            f"Content-Type should be application/json or one of {', '.join(sorted(_PICTURES))}, "
            f"but is '{request.mimetype[:60]}'",
        )
    data = request.get_data(cache=False)
    for mark, most in _MAX_MARKS.items():
        if data.count(mark) > most:
            raise RequestError(
                422,
                "wrong_count",
                f"expected JSON of at most {MAX_DIGITS} pictures, found over {most:,} "
                f"'{mark.decode()}'",
            )
    try:
        body = json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        why = str(error) if isinstance(error, json.JSONDecodeError) else type(error).__name__
        raise RequestError(400, "bad_json", f"body is not JSON: {why}") from error
    if not isinstance(body, dict):
        raise RequestError(422, "wrong_type", f"expected a JSON object, found {_kind(body)}")
    return body


def _refuse_constant(name: str) -> NoReturn:
    raise RequestError(422, "wrong_type", f"{name} is no pixel; expected whole numbers in 0–255")


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return f"an array of {len(value)}"
    return {str: "a string", dict: "an object", type(None): "null"}.get(type(value), "a value")


def _whole_numbers(rows: Any) -> Pixels:
    """As they are checked here, nothing that is sent makes them larger than they should be."""
    side = IMAGE_SIDE
    expected = f"pixels: expected {side} × {side} whole numbers in 0–255"
    if not isinstance(rows, list) or len(rows) != side:
        raise RequestError(422, "wrong_shape", f"{expected}, found {_kind(rows)}")
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != side:
            raise RequestError(
                422, "wrong_shape", f"{expected}, found {_kind(row)} as row {number}"
            )
    try:
        return np.frombuffer(b"".join(map(bytes, rows)), np.uint8).reshape(side, side)
    except TypeError as error:
        raise RequestError(422, "wrong_type", f"{expected}, found other values") from error
    except ValueError as error:
        raise RequestError(422, "out_of_range", f"{expected}, found others") from error
