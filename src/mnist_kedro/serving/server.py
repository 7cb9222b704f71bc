"""The HTTP server in front of the app: bounded in connections, bytes and waiting requests."""

from collections.abc import Callable, Iterable
from typing import Any

import waitress
from flask import Flask

from mnist_kedro.serving.app import error_response
from mnist_kedro.serving.bodies import MAX_BYTES, RequestError
from mnist_kedro.serving.metrics import Metrics

_WAITING = 64  # requests, at most; a tenth of a second's work, more or less
_CONNECTIONS = 500
_IDLE_SECONDS = 20


def create_server(app: Flask, metrics: Metrics, host: str, port: int, threads: int) -> Any:
    """A server that listens; its ``run()`` answers until the program is told to end.

    Bodies are received, and answers sent, by one thread for all connections, so that slow clients
    keep no worker waiting; what is large waits on disk. When more requests wait than are soon
    answered, those to the API are answered with 503.

    Args:
        app: what answers.
        metrics: what is counted in.
        host: name or address to listen at.
        port: 0 for any that is free.
        threads: workers.

    Raises:
        OSError: when it cannot listen there.
    """
    server: Any = None

    def waiting() -> int:
        return len(server.task_dispatcher.queue)

    server = waitress.create_server(
        shed(app, waiting, metrics),
        host=host,
        port=port,
        threads=threads,
        connection_limit=_CONNECTIONS,
        channel_timeout=_IDLE_SECONDS,
        cleanup_interval=5,
        max_request_body_size=2 * MAX_BYTES,  # between the two, the app explains
        max_request_header_size=16_384,
        asyncore_use_poll=True,
        clear_untrusted_proxy_headers=True,
        ident="mnist_kedro",
    )
    return server


def shed(
    app: Flask, waiting: Callable[[], int], metrics: Metrics
) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    """The app, but for requests to the API while more than 64 wait: those get 503 at once.

    Args:
        app: what answers.
        waiting: how many requests wait.
        metrics: what is counted in.
    """
    busy = error_response(RequestError(503, "busy", "too many requests wait; try again"))

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if waiting() > _WAITING and environ["PATH_INFO"].startswith("/api/"):
            metrics.shed.inc()
            return busy(environ, start_response)
        return app(environ, start_response)

    return answer
