"""Parse request bodies into pictures, and reject all others."""

import base64
import json
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

import numpy as np
from flask import Request

from mnist_kedro.contracts import IMAGE_SIDE, Pixels
from mnist_kedro.pictures import PictureError, decode_picture
from mnist_kedro.pictures.decode import GrayPicture, PixelBudget

MAX_BODY_BYTES = 8 * 1024**2
_MAX_PICTURES = 1000  # per batch
_MAX_PIXELS = 16_000_000  # per request, after decoding
# Python holds the GIL while it parses JSON, so a body with more punctuation than 1,000 pictures
# need is rejected before it is parsed.
_MAX_PUNCTUATION = {b"[": 30_000, b"{": 1000, b":": 1000, b",": 800_000}
SERVER_ERROR = "internal server error; the server's log has the details"
_PICTURE_TYPES = {f"image/{form}" for form in ("png", "jpeg", "bmp", "tiff", "webp", "gif")}
# What clients send with a file if they are not told its type, such as curl --data-binary.
_UNTYPED = {"", "application/octet-stream", "application/x-www-form-urlencoded"}
_DATA_URL = "data:image/"


class RequestError(Exception):
    """An error response: an HTTP status, a code for programs and a message for people."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def body_too_large() -> RequestError:
    """Return the error for a body that is larger than 8 MiB."""
    message = f"body too large: expected at most {MAX_BODY_BYTES:,} bytes"
    return RequestError(413, "body_too_large", message)


def parse_picture(request: Request) -> GrayPicture:
    """Parse the one picture of a request.

    The body is an image file, a form with one, a data URL, or JSON: ``{"pixels": 28 × 28}`` or
    ``{"picture": base64 or data URL}``.

    Raises:
        RequestError: if the body is none of these, or the picture cannot be decoded.
    """
    budget = PixelBudget(_MAX_PIXELS)
    if request.mimetype == "multipart/form-data":
        files = [*request.files.values()]
        if len(files) != 1:
            raise RequestError(422, "wrong_count", f"expected 1 file, found {len(files)}")
        return _decode(files[0].read(), budget)
    if request.mimetype in _PICTURE_TYPES | _UNTYPED:
        return _decode(request.get_data(cache=False), budget)
    if request.mimetype == "text/plain":
        return _decode_base64(request.get_data(cache=False, as_text=True), budget, url_only=True)
    body = parse_json(request)
    if body.keys() == {"picture"}:
        return _decode_base64(body["picture"], budget)
    if body.keys() != {"pixels"}:
        side = f"{IMAGE_SIDE} × {IMAGE_SIDE}"
        expected = f'{{"pixels": {side} integers}} or {{"picture": base64}}'
        raise RequestError(422, "wrong_type", f"expected {expected}, found {_list_keys(body)}")
    return parse_pixels(body["pixels"])


def parse_batch(request: Request) -> list[GrayPicture | RequestError]:
    """Parse the pictures of ``{"pixels": n × 28 × 28}`` or ``{"pictures": [base64, …]}``.

    Returns:
        For each picture its pixels, or the error why it is rejected.

    Raises:
        RequestError: if the body is neither, or does not hold 1 to 1,000 pictures.
    """
    body = parse_json(request)
    key, values = next(iter(body.items()), ("", None))
    if len(body) != 1 or key not in {"pixels", "pictures"} or not isinstance(values, list):
        raise RequestError(
            422,
            "wrong_type",
            'expected {"pixels": n × 28 × 28 integers} or {"pictures": [base64 or data URL, …]}, '
            f"found {_list_keys(body)}",
        )
    if not 0 < len(values) <= _MAX_PICTURES:
        raise RequestError(
            422, "wrong_count", f"expected 1 to {_MAX_PICTURES} pictures, found {len(values)}"
        )
    if key == "pixels":
        return [_value_or_error(parse_pixels, value) for value in values]
    decode_base64 = partial(_decode_base64, budget=PixelBudget(_MAX_PIXELS))
    return [_value_or_error(decode_base64, value) for value in values]


def _value_or_error(parse: Callable[[Any], GrayPicture], value: Any) -> GrayPicture | RequestError:
    try:
        return parse(value)
    except RequestError as error:
        return error


def _decode_base64(value: Any, budget: PixelBudget, *, url_only: bool = False) -> GrayPicture:
    """Decode base64 or a data URL; ``url_only`` rejects the former."""
    is_url = isinstance(value, str) and value.startswith(_DATA_URL)
    header, _, content = value.partition(",") if is_url else ("", "", value)
    if (url_only and not is_url) or (is_url and not header.endswith(";base64")):
        raise _wrong_media_type("another text than a data URL, data:image/png;base64,…")
    try:
        data = base64.b64decode(content, validate=True)
    except (TypeError, ValueError) as error:
        raise RequestError(422, "wrong_type", "expected a base64 string") from error
    return _decode(data, budget)


def _wrong_media_type(found: str) -> RequestError:
    return RequestError(
        415,
        "unsupported_media_type",
        "Content-Type should be application/json, multipart/form-data or one of "
        f"{', '.join(sorted(_PICTURE_TYPES))}, but is {found}",
    )


def _decode(data: bytes, budget: PixelBudget) -> GrayPicture:
    try:
        return decode_picture(data, budget)
    except PictureError as error:
        raise RequestError(422, "unreadable_picture", str(error)) from error


def _list_keys(body: dict[str, Any]) -> str:
    return ", ".join(repr(key[:40]) for key in list(body)[:5]) or "nothing"


def parse_json(request: Request) -> dict[str, Any]:
    """Parse a body that is a JSON object.

    Raises:
        RequestError: if it is none, or holds more than 1,000 pictures.
    """
    if request.mimetype != "application/json":
        raise _wrong_media_type(f"'{request.mimetype[:60]}'")
    data = request.get_data(cache=False)
    for mark, limit in _MAX_PUNCTUATION.items():
        if data.count(mark) > limit:
            raise RequestError(
                422,
                "wrong_count",
                f"expected JSON of at most {_MAX_PICTURES} pictures, found over {limit:,} "
                f"'{mark.decode()}'",
            )
    try:
        body = json.loads(data, parse_constant=_reject_constant)
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, json.JSONDecodeError) else type(error).__name__
        raise RequestError(400, "bad_json", f"body is not JSON: {reason}") from error
    if not isinstance(body, dict):
        raise RequestError(422, "wrong_type", f"expected a JSON object, found {_json_type(body)}")
    return body


def _reject_constant(name: str) -> NoReturn:
    """Reject NaN and Infinity, which JSON forbids but Python's parser accepts."""
    raise RequestError(
        422, "wrong_type", f"{name} is not a pixel value; expected integers in 0–255"
    )


def _json_type(value: Any) -> str:
    if isinstance(value, list):
        return f"an array of {len(value)}"
    return {str: "a string", dict: "an object", type(None): "null"}.get(type(value), "a value")


def parse_pixels(rows: Any) -> Pixels:
    """Convert 28 lists of 28 integers; checking their sizes first bounds the memory."""
    side = IMAGE_SIDE
    expected = f"pixels: expected {side} × {side} integers in 0–255"
    if not isinstance(rows, list) or len(rows) != side:
        raise RequestError(422, "wrong_shape", f"{expected}, found {_json_type(rows)}")
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != side:
            found = f"{_json_type(row)} as row {number}"
            raise RequestError(422, "wrong_shape", f"{expected}, found {found}")
    try:
        return np.frombuffer(b"".join(map(bytes, rows)), np.uint8).reshape(side, side)
    except TypeError as error:
        raise RequestError(422, "wrong_type", f"{expected}, found another type") from error
    except ValueError as error:
        raise RequestError(422, "out_of_range", f"{expected}, found another value") from error
