"""Create the Flask app: routes, error handlers and request hooks."""

import json
import logging
import time
from collections.abc import Collection, Mapping
from pathlib import Path, PureWindowsPath
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from mnist_kedro.serving.addresses import Host, is_allowed
from mnist_kedro.serving.answers import classify_all_digits, classify_picture, classify_pictures
from mnist_kedro.serving.bodies import (
    MAX_BODY_BYTES,
    SERVER_ERROR,
    RequestError,
    body_too_large,
    parse_batch,
    parse_picture,
)
from mnist_kedro.serving.metrics import CONTENT_TYPE, Metrics
from mnist_kedro.serving.model import Model, ModelStore
from mnist_kedro.serving.openapi import documented, openapi_document
from mnist_kedro.serving.teaching import Teaching, teaching

logger = logging.getLogger(__name__)

_SECURITY_HEADERS = {
    # The page loads nothing from other origins and runs no inline scripts.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

# The endpoints are labels of the Prometheus metrics, so renaming one would start a new time series.
pages = Blueprint("pages", __name__)
api = Blueprint("api", __name__, url_prefix="/api")
operations = Blueprint("operations", __name__)


def create_app(
    models: ModelStore,
    metrics: Metrics,
    allowed_hosts: Collection[Host] = ("localhost",),
    corrections: Path | None = None,
) -> Flask:
    """Create a WSGI application.

    Args:
        models: the store whose current model is served.
        metrics: counts requests and predictions.
        allowed_hosts: the hosts that requests may name besides loopback addresses.
        corrections: the folder that keeps the corrections of users; None: keep none.
    """
    app = Flask(__name__)
    app.url_map.merge_slashes = False  # a redirect would be HTML
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.compact = True  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions |= {"models": models, "metrics": metrics, "allowed_hosts": allowed_hosts}
    app.extensions["teaching"] = Teaching(models, corrections)
    models.on_replaced = metrics.promotions.inc
    for blueprint in (pages, api, operations, teaching):
        app.register_blueprint(blueprint)
    app.register_error_handler(RequestError, error_response)
    app.register_error_handler(RequestEntityTooLarge, lambda _: error_response(body_too_large()))
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _server_error)
    app.before_request(_start_timer)
    app.before_request(_check_host)
    app.after_request(_finish_response)
    return app


@pages.get("/")
def page() -> Response:
    """Return the page to draw digits on."""
    return current_app.send_static_file("index.html")


@pages.get("/openapi.json")
def openapi() -> Response:
    """Return the OpenAPI document of the API."""
    return jsonify(openapi_document(current_app))


@api.post("/predict")
@documented("Digit", request="Picture")
def predict() -> dict[str, Any]:
    """Classify a picture of one digit."""
    model = _current_model()
    prediction = classify_picture(model, parse_picture(request))
    return {**_count(prediction), **_common_fields(model)}


@api.post("/predict_batch")
@documented("Digits", request="Pictures")
def predict_batch() -> Response:
    """Classify 1 to 1,000 pictures of one digit each."""
    model = _current_model()
    predictions = [
        _error_payload(result) if isinstance(result, RequestError) else _count(result)
        for result in classify_pictures(model, parse_batch(request))
    ]
    # Python holds the GIL while it writes JSON; writing the predictions one by one releases it.
    listed = ",".join(map(current_app.json.dumps, predictions))
    rest = current_app.json.dumps(_common_fields(model)).removeprefix("{")
    return Response(f'{{"predictions":[{listed}],{rest}', content_type="application/json")


@api.post("/read")
@documented("Reading", request="Picture", query={"ink": "Whether to return the found ink, too"})
def read() -> dict[str, Any]:
    """Find and classify all digits of a picture."""
    model = _current_model()
    with_ink = request.args.get("ink") == "true"
    found = classify_all_digits(model, parse_picture(request), with_ink=with_ink)
    for prediction in found["digits"]:
        _count(prediction)
    return {**found, **_common_fields(model)}


@api.get("/model", endpoint="describe")
@documented("Model")
def model_description() -> dict[str, Any]:
    """Return the name, version and description of the current model."""
    model = _current_model()
    return {"name": model.name, "version": model.version, **_without_folders(model.description)}


def _without_folders(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return what clients need of a description: no paths and no details of the training."""
    data = description["data"]
    if isinstance(data, dict) and isinstance(source := data.get("source"), str):
        # Paths have slashes or backslashes, depending on the system of the export.
        data = {**data, "source": PureWindowsPath(source).name}
    rest = {key: value for key, value in description.items() if key != "training_record"}
    record = description.get("training_record") or {}
    taught = record.get("taught")
    corrections = taught["corrections"]["digits"] if taught else 0
    counts = {"training_digits": record.get("training_digits"), "taught_corrections": corrections}
    return {**rest, "data": data, **counts}


@operations.get("/healthz")
@documented("Health", needs_model=False)
def healthz() -> dict[str, Any]:
    """Report that the server is alive."""
    return {"status": "ok"}


@operations.get("/readyz")
@documented("Readiness")
def readyz() -> dict[str, Any]:
    """Report that a model is loaded, or answer with status 503."""
    return {"status": "ok", "model_version": _current_model().version}


@operations.get("/metrics", endpoint="measure")
@documented("Metrics", needs_model=False)
def prometheus_metrics() -> Response:
    """Return the metrics in Prometheus's text format."""
    models: ModelStore = current_app.extensions["models"]
    metrics: Metrics = current_app.extensions["metrics"]
    metrics.model.clear()
    if models.current is not None:
        metrics.model.labels(models.current.name, models.current.version).set(1)
    metrics.models_rejected.set(len(models.rejected))
    return Response(metrics.text(), content_type=CONTENT_TYPE)


def error_response(error: RequestError) -> Response:
    """Return an error as JSON; status 503 comes with a Retry-After header."""
    body = json.dumps(_error_payload(error), ensure_ascii=False)
    response = Response(body, error.status, content_type="application/json")
    if error.status == 503:
        response.headers["Retry-After"] = "1"
    return response


def _error_payload(error: RequestError) -> dict[str, str]:
    return {"error": error.message, "code": error.code}


def _http_error(error: HTTPException) -> Response:
    """Return an error of Flask, such as 404 or 405, as JSON."""
    status, code = error.code or 500, error.name.lower().replace(" ", "_")
    response = error_response(RequestError(status, code, error.description or error.name))
    for key, value in error.get_headers():
        if key == "Allow":
            response.headers[key] = value
    return response


def _server_error(error: Exception) -> Response:
    logger.error("%s %s failed.", request.method, request.path, exc_info=error)
    return error_response(RequestError(500, "internal_server_error", SERVER_ERROR))


def _start_timer() -> None:
    g.start = time.perf_counter()


def _check_host() -> None:
    """Reject hosts that are not allowed, but let programs probe the server at any address."""
    host = request.headers.get("Host", "")
    if request.blueprint != operations.name and not is_allowed(
        host, current_app.extensions["allowed_hosts"]
    ):
        raise RequestError(
            400,
            "host_not_allowed",
            "Host should be localhost or one of the server's --allowed-hosts, "
            f"but is {host[:100]!r}",
        )


def _finish_response(response: Response) -> Response:
    """Count the request and its duration; set the security and cache headers."""
    metrics: Metrics = current_app.extensions["metrics"]
    endpoint = (request.endpoint or "unknown").rpartition(".")[2]
    metrics.requests.labels(endpoint, response.status_code).inc()
    metrics.seconds.labels(endpoint).observe(time.perf_counter() - g.start)
    response.headers.update(_SECURITY_HEADERS)
    # Browsers may keep pages if they revalidate them; predictions must not be stored anywhere.
    may_store = request.blueprint == "pages" or endpoint == "static"
    response.headers["Cache-Control"] = "no-cache" if may_store else "no-store"
    return response


def _current_model() -> Model:
    models: ModelStore = current_app.extensions["models"]
    if models.current is None:
        raise RequestError(503, "no_model", models.unavailable_reason)
    return models.current


def _common_fields(model: Model) -> dict[str, Any]:
    return {
        "model_version": model.version,
        "milliseconds": round(1000 * (time.perf_counter() - g.start), 3),
    }


def _count(prediction: dict[str, Any]) -> dict[str, Any]:
    """Count a prediction in the metrics and return it."""
    metrics: Metrics = current_app.extensions["metrics"]
    metrics.digits.labels(prediction["digit"], str(prediction["sure"]).lower()).inc()
    if not prediction["sure"]:
        metrics.not_sure.inc()
    if prediction["is_digit"] is False:
        metrics.no_digit.inc()
    return prediction
