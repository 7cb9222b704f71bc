"""Routes that save corrections and fine-tune the network on them."""

import base64
import threading
import time
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from flask import Blueprint, current_app, request
from PIL import Image

from mnist_kedro.corrections import (
    NO_DIGIT,
    Correction,
    count_corrections,
    forget_corrections,
    keep_correction,
    name_writer,
    read_corrections,
    time_now,
)
from mnist_kedro.errors import InputError
from mnist_kedro.pictures import PictureError, decode_picture
from mnist_kedro.promotion import Promotion, read_history
from mnist_kedro.serving.answers import classify_pictures
from mnist_kedro.serving.bodies import RequestError, parse_json, parse_pixels
from mnist_kedro.serving.metrics import Metrics
from mnist_kedro.serving.model import Model, ModelStore
from mnist_kedro.serving.openapi import documented
from mnist_kedro.serving.promote import roll_back
from mnist_kedro.serving.teaching_run import MIN_CORRECTIONS, TeachingRun, can_teach

_MAX_BODY_BYTES = 100_000  # of a correction, with its cutting
_MAX_CUTTING_SIDE = 256  # pixels
_MAX_KEPT = 10_000  # corrections of all writers
_BURST, _PER_SECOND = 300, 2  # corrections at once, and on the long run
_SECRET_LETTERS = range(16, 129)  # of a writer's secret

teaching = Blueprint("teaching", __name__, url_prefix="/api")


class Teaching:
    """Manage the corrections of a server, and the fine-tuning of its network."""

    def __init__(self, models: ModelStore, folder: Path | None) -> None:
        """Save corrections in a folder; None: accept no corrections."""
        self.models, self.folder = models, folder
        self.run = TeachingRun(models.folder, folder, models.refresh) if folder else None
        self._allowed, self._at = float(_BURST), time.monotonic()
        self._lock = threading.Lock()

    @property
    def obstacle(self) -> str | None:
        """Return why this server cannot fine-tune the network; None if it can."""
        if self.folder is None:
            return "this server does not accept corrections"
        return can_teach(self.models.folder, self.folder, self.models.name)

    def end(self) -> None:
        """Cancel fine-tuning, because the server stops."""
        if self.run is not None:
            self.run.end()

    def take_turn(self) -> None:
        """Bound the rate of all corrections together.

        Raises:
            RequestError: if there were too many.
        """
        with self._lock:
            now = time.monotonic()
            self._allowed = min(_BURST, self._allowed + _PER_SECOND * (now - self._at))
            self._at = now
            if self._allowed < 1:
                raise RequestError(429, "too_many", "too many corrections; try again in a second")
            self._allowed -= 1


@teaching.before_request
def _check_origin() -> None:
    """Let only the app's own page change something, and programs that are no browsers."""
    origin = request.headers.get("Origin")
    if request.method == "GET" or origin is None:
        return
    host = request.headers.get("Host", "")
    try:
        named = urlsplit(origin)
        same = host.lower() in (named.netloc.lower(), named.hostname)  # a proxy may omit the port
    except ValueError:  # not an address
        same = False
    # Browsers know better than the server whether the page has another port.
    if not same or request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise RequestError(
            403, "foreign_origin", f"Origin should be this server, {host}, but is {origin[:100]!r}"
        )


@teaching.post("/corrections")
@documented("Kept", request="Correction", errors={"403": "Forbidden", "429": "TooMany"})
def correct() -> dict[str, Any]:
    """Save the correct label of a digit."""
    state, folder, _ = _opened()
    body = _parse(required={"pixels", "label", "writer"}, optional={"cutting"})
    label, pixels = _parse_label(body["label"]), parse_pixels(body["pixels"])
    if not pixels.any():
        raise RequestError(422, "blank", "blank: nothing is written")
    writer, cutting = _parse_writer(body["writer"]), _parse_cutting(body.get("cutting", ""))
    state.take_turn()
    if count_corrections(folder) >= _MAX_KEPT:
        raise RequestError(
            403,
            "full",
            f"this server has {_MAX_KEPT:,} corrections, the maximum; delete some of them first",
        )
    model = _current_model(state)
    correction = Correction(
        pixels=base64.b64encode(pixels.tobytes()).decode(),
        cutting=cutting,
        label=label,
        answer=_answer(model, pixels),
        model=model.name,
        version=model.version,
        writer=writer,
        time=time_now(),
    )
    identifier = keep_correction(folder, correction)
    metrics: Metrics = current_app.extensions["metrics"]
    metrics.corrections.labels("no_digit" if label == NO_DIGIT else "digit").inc()
    return {"identifier": identifier, "answer": correction["answer"]}


@teaching.delete("/corrections")
@documented(
    "Forgotten",
    request="Writer",
    errors={"403": "Forbidden", "409": "Conflict"},
    needs_model=False,
)
def forget() -> dict[str, Any]:
    """Delete all corrections of a writer, or one of them."""
    _, folder, run = _opened()
    body = _parse(required={"writer"}, optional={"identifier"})
    _require_rest(run)
    writer, identifier = _parse_writer(body["writer"]), body.get("identifier")
    if not isinstance(identifier, str | None):
        raise RequestError(422, "wrong_type", "identifier: expected a string")
    forgotten = forget_corrections(folder, writer, identifier)
    run.forget(forgotten)
    return {"forgotten": len(forgotten)}


@teaching.post("/corrections/mine")
@documented("Corrections", request="Writer", errors={"403": "Forbidden"}, needs_model=False)
def own_corrections() -> dict[str, Any]:
    """Return all corrections of a writer, with their predictions before and after learning."""
    _, folder, run = _opened()
    body = _parse(required={"writer"}, optional={"cuttings"})
    writer = _parse_writer(body["writer"])
    left_out = {"label", "writer", *([] if body.get("cuttings") is True else ["cutting"])}
    held_out = {one["identifier"]: one for one in run.held_out().get("digits", [])}
    return {
        "corrections": [
            {
                "identifier": identifier,
                **{k: v for k, v in correction.items() if k not in left_out},
                "label": _to_json(correction["label"]),
                "held_out": _describe(held_out.get(identifier), correction),
            }
            for identifier, correction in read_corrections(folder, writer)
        ]
    }


@teaching.get("/teaching", endpoint="teaching_state")
@documented("Teaching", needs_model=False)
def describe_teaching() -> dict[str, Any]:
    """Describe the corrections, whether the network can learn from them, and the progress."""
    return _describe_state()


@teaching.post("/teaching")
@documented(
    "Teaching",
    request="Nothing",
    errors={"403": "Forbidden", "409": "Conflict"},
)
def teach() -> dict[str, Any]:
    """Start fine-tuning the network on all corrections."""
    state, _, run = _opened()
    _parse()
    if state.obstacle:
        raise RequestError(409, "cannot_teach", state.obstacle)
    if not run.start(_current_model(state).name):
        raise RequestError(409, "busy", "the network is already learning")
    return _describe_state()


@teaching.delete("/teaching")
@documented("Teaching", request="Nothing", errors={"403": "Forbidden"}, needs_model=False)
def cancel_teaching() -> dict[str, Any]:
    """Cancel fine-tuning."""
    _, _, run = _opened()
    _parse()
    run.cancel()
    return _describe_state()


@teaching.post("/teaching/rollback")
@documented(
    "Teaching",
    request="Nothing",
    errors={"403": "Forbidden", "409": "Conflict"},
    needs_model=False,
)
def take_back() -> dict[str, Any]:
    """Serve the previous network again."""
    state, _, run = _opened()
    _parse()
    if state.obstacle:
        raise RequestError(409, "cannot_teach", state.obstacle)
    _require_rest(run)
    try:
        roll_back(state.models.folder)
    except InputError as error:
        raise RequestError(409, "nothing_before", "no network was served before") from error
    state.models.refresh()
    return _describe_state()


def _describe_state() -> dict[str, Any]:
    state: Teaching = current_app.extensions["teaching"]
    if state.folder is None or state.run is None:
        return {"keeps": False, "obstacle": state.obstacle}
    folder = state.folder if not state.folder.is_absolute() else Path(state.folder.name)
    decision = state.run.decision()
    model = state.models.current
    taught = model is not None and "taught" in (model.description.get("training_record") or {})
    return {
        "keeps": True,
        "folder": folder.as_posix(),
        "corrections": count_corrections(state.folder),
        "needed": MIN_CORRECTIONS,
        "obstacle": state.obstacle,
        **state.run.progress,
        "can_take_back": taught and len(read_history(state.models.folder)) > 1,
        "outcome": _outcome(decision, model),
    }


def _outcome(decision: Promotion | None, served: Model | None) -> dict[str, Any] | None:
    """Describe the latest fine-tuning run, and whether its network is served."""
    if decision is None:
        return None
    told = {key: decision.get(key) for key in ("version", "promoted", "reason", "teaching")}
    return {**told, "served": served is not None and served.version == decision["version"]}


def _opened() -> tuple[Teaching, Path, TeachingRun]:
    """Return the server's state, its folder and its run, if it keeps corrections."""
    state: Teaching = current_app.extensions["teaching"]
    if state.folder is None or state.run is None:
        raise RequestError(
            403,
            "corrections_off",
            "this server does not accept corrections; start it with --corrections FOLDER",
        )
    return state, state.folder, state.run


def _require_rest(run: TeachingRun) -> None:
    """Reject requests that must not run while the network learns."""
    if run.progress["state"] == "running":
        raise RequestError(409, "busy", "the network is learning; cancel this first, or wait")


def _current_model(state: Teaching) -> Model:
    if state.models.current is None:
        raise RequestError(503, "no_model", state.models.unavailable_reason)
    return state.models.current


def _parse(required: set[str] = frozenset(), optional: set[str] = frozenset()) -> dict[str, Any]:  # type: ignore[assignment]
    """Parse a small JSON object with these keys."""
    if (request.content_length or 0) > _MAX_BODY_BYTES:
        raise RequestError(
            413, "body_too_large", f"body too large: expected at most {_MAX_BODY_BYTES:,} bytes"
        )
    body = parse_json(request)
    if not required <= body.keys() <= required | optional:
        expected = ", ".join(sorted(required)) or "no keys"
        found = ", ".join(repr(key[:40]) for key in list(body)[:5]) or "nothing"
        raise RequestError(422, "wrong_type", f"expected {expected}, found {found}")
    return body


def _parse_label(label: Any) -> int:
    if label is None:
        return NO_DIGIT
    if type(label) is int and label in range(NO_DIGIT):
        return label
    raise RequestError(
        422, "out_of_range", "label: expected an integer in 0–9, or null for no digit"
    )


def _parse_writer(secret: Any) -> str:
    if isinstance(secret, str) and secret.isascii() and len(secret) in _SECRET_LETTERS:
        return name_writer(secret)
    first, last = _SECRET_LETTERS[0], _SECRET_LETTERS[-1]
    raise RequestError(
        422, "wrong_type", f"writer: expected a secret of {first} to {last} ASCII letters"
    )


def _parse_cutting(cutting: Any) -> str:
    """Decode the picture of a digit and re-encode it, so that only its pixels are kept."""
    if cutting == "":
        return ""
    try:
        picture = decode_picture(base64.b64decode(cutting, validate=True))
    except (TypeError, ValueError, PictureError) as error:
        raise RequestError(
            422, "unreadable_picture", "cutting: expected a picture in base64"
        ) from error
    if max(picture.shape) > _MAX_CUTTING_SIDE:
        raise RequestError(
            422,
            "wrong_shape",
            f"cutting: expected at most {_MAX_CUTTING_SIDE} × {_MAX_CUTTING_SIDE} pixels",
        )
    file = BytesIO()
    Image.fromarray(np.asarray(picture, np.uint8)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def _answer(model: Model, pixels: Any) -> dict[str, Any]:
    """Classify the digit again, so that clients cannot forge predictions."""
    (prediction,) = classify_pictures(model, [pixels])
    if isinstance(prediction, RequestError):
        raise prediction
    return {key: prediction[key] for key in ("digit", "confidence", "is_digit", "digit_score")}


def _describe(
    held_out: Mapping[str, Any] | None, correction: Correction
) -> dict[str, int | None] | None:
    """Return the predictions before and after; None if the correction was changed since."""
    if held_out is None or held_out["label"] != correction["label"]:
        return None
    return {key: _to_json(held_out[key]) for key in ("before", "after")}


def _to_json(label: int) -> int | None:
    return None if label == NO_DIGIT else label
