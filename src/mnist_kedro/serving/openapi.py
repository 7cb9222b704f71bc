"""Describe the routes of the API in an OpenAPI document.

A route names the components of ``static/openapi.json`` that it takes and returns; its docstring is
its summary.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from flask import Flask

_View = TypeVar("_View", bound=Callable[..., Any])
_COMPONENTS = Path(__file__).parent / "static" / "openapi.json"
_REQUEST_ERRORS = {
    "400": "BadRequest",
    "413": "TooLarge",
    "415": "UnsupportedMediaType",
    "422": "Unusable",
}


def documented(
    response: str,
    request: str | None = None,
    *,
    needs_model: bool = True,
    query: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> Callable[[_View], _View]:
    """Decorate the function of a route with the components that describe it.

    Args:
        response: name of the response with status 200.
        request: name of the request body.
        needs_model: whether the route answers with status 503 as long as there is no model.
        query: descriptions of the query's parameters, which are true or false, by their names.
        errors: names of further responses by their status.
    """
    responses = {"200": response, **(_REQUEST_ERRORS if request else {})}
    responses |= {"503": "Unavailable"} if needs_model else {}
    responses |= errors or {}
    responses["default"] = "OtherError"

    def decorate(view: _View) -> _View:
        summary = (view.__doc__ or "").partition(".")[0]
        operation: dict[str, Any] = {"summary": summary, "operationId": view.__name__}
        if query:
            operation["parameters"] = [
                {"name": name, "in": "query", "description": text, "schema": {"type": "boolean"}}
                for name, text in query.items()
            ]
        if request:
            operation["requestBody"] = {"$ref": f"#/components/requestBodies/{request}"}
        operation["responses"] = {
            status: {"$ref": f"#/components/responses/{name}"} for status, name in responses.items()
        }
        view.__dict__["operation"] = operation
        return view

    return decorate


def openapi_document(app: Flask) -> dict[str, Any]:
    """Return the OpenAPI document of all documented routes."""
    paths: dict[str, dict[str, Any]] = {}
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            if "operation" in view.__dict__:
                paths.setdefault(rule.rule, {})[method.lower()] = view.__dict__["operation"]
    return {**json.loads(_COMPONENTS.read_bytes()), "paths": paths}
