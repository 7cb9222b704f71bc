"""The web app: what is answered at which address."""

import json
import logging
import time
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from mnist_kedro.serving.answers import read_all, read_many, read_one
from mnist_kedro.serving.bodies import FAULT, MAX_BYTES, RequestError, read_batch, read_picture
from mnist_kedro.serving.metrics import CONTENT_TYPE, Metrics
from mnist_kedro.serving.model import Model, ModelStore

logger = logging.getLogger(__name__)

_HEADERS = {
    # The page loads nothing from elsewhere and runs nothing that is not a file of its own.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def create_app(models: ModelStore, metrics: Metrics) -> Flask:
    """A WSGI application.

    Args:
        models: what is asked.
        metrics: what is counted in.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BYTES
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.compact = True  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    _answer_for_people(app)
    _answer_for_programs(app, models, metrics)
    _answer_for_operators(app, models, metrics)
    _answer_errors(app)
    _count_and_protect(app, metrics)
    return app


def _answer_for_people(app: Flask) -> None:
    @app.get("/")
    def page() -> Response:
        return app.send_static_file("index.html")

    @app.get("/openapi.json")
    def openapi() -> Response:
        return app.send_static_file("openapi.json")


def _answer_for_programs(app: Flask, models: ModelStore, metrics: Metrics) -> None:
    def counted(answer: dict[str, Any]) -> dict[str, Any]:
        metrics.digits.labels(answer["digit"], str(answer["sure"]).lower()).inc()
        return answer

    @app.post("/api/predict")
    def predict() -> dict[str, Any]:
        model = _current(models)
        return {**counted(read_one(model, read_picture(request))), **_told(model)}

    @app.post("/api/predict_batch")
    def predict_batch() -> Response:
        model = _current(models)
        predictions = [
            _told_error(answer) if isinstance(answer, RequestError) else counted(answer)
            for answer in read_many(model, read_batch(request))
        ]
        # One by one: Python writes JSON without letting other threads run.
        listed = ",".join(map(app.json.dumps, predictions))
        rest = app.json.dumps(_told(model)).removeprefix("{")
        return Response(f'{{"predictions":[{listed}],{rest}', content_type="application/json")

    @app.post("/api/read")
    def read() -> dict[str, Any]:
        model = _current(models)
        answer = read_all(model, read_picture(request))
        for digit in answer["digits"]:
            counted(digit)
        return {**answer, **_told(model)}

    @app.get("/api/model")
    def describe() -> dict[str, Any]:
        model = _current(models)
        return {"name": model.name, "version": model.version, **model.description}


def _answer_for_operators(app: Flask, models: ModelStore, metrics: Metrics) -> None:
    @app.get("/healthz")
    def healthz() -> dict[str, Any]:
        return {"status": "ok"}

    @app.get("/readyz")
    def readyz() -> dict[str, Any]:
        return {"status": "ok", "model_version": _current(models).version}

    @app.get("/metrics")
    def measure() -> Response:
        metrics.model.clear()
        if models.current is not None:
            metrics.model.labels(models.current.name, models.current.version).set(1)
        metrics.models_refused.set(len(models.refused))
        return Response(metrics.text(), content_type=CONTENT_TYPE)


def _current(models: ModelStore) -> Model:
    if models.current is None:
        raise RequestError(503, "no_model", models.reason)
    return models.current


def _told(model: Model) -> dict[str, Any]:
    return {
        "model_version": model.version,
        "milliseconds": round(1000 * (time.perf_counter() - g.start), 3),
    }


def _told_error(error: RequestError) -> dict[str, str]:
    return {"error": error.message, "code": error.code}


def _answer_errors(app: Flask) -> None:
    @app.errorhandler(RequestError)
    def refuse(error: RequestError) -> Response:
        return error_response(error)

    @app.errorhandler(RequestEntityTooLarge)
    def refuse_body(_: RequestEntityTooLarge) -> Response:
        told = f"body too large: expected at most {MAX_BYTES:,} bytes"
        return error_response(RequestError(413, "body_too_large", told))

    @app.errorhandler(HTTPException)
    def refuse_http(error: HTTPException) -> Response:
        """Flask's own, as JSON: no such address, another method."""
        status, name = error.code or 500, error.name.lower().replace(" ", "_")
        response = error_response(RequestError(status, name, error.description or error.name))
        for key, value in error.get_headers():
            if key == "Allow":
                response.headers[key] = value
        return response

    @app.errorhandler(Exception)
    def fail(error: Exception) -> Response:
        logger.error("%s %s", request.method, request.path, exc_info=error)
        return error_response(RequestError(500, "internal_server_error", FAULT))


def error_response(error: RequestError) -> Response:
    """An error as JSON; 503 says when to come again."""
    body = json.dumps(_told_error(error), ensure_ascii=False)
    response = Response(body, error.status, content_type="application/json")
    if error.status == 503:
        response.headers["Retry-After"] = "1"
    return response


def _count_and_protect(app: Flask, metrics: Metrics) -> None:
    @app.before_request
    def start() -> None:
        g.start = time.perf_counter()

    @app.after_request
    def finish(response: Response) -> Response:
        endpoint = request.endpoint or "unknown"
        metrics.requests.labels(endpoint, response.status_code).inc()
        metrics.seconds.labels(endpoint).observe(time.perf_counter() - g.start)
        response.headers.update(_HEADERS)
        # Pages may be kept, but are asked about; answers are for whoever asked.
        response.headers["Cache-Control"] = (
            "no-cache" if endpoint in {"page", "static", "openapi"} else "no-store"
        )
        return response
