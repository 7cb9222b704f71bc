"""Run the app behind Waitress, with limits on connections, body sizes and queued requests."""

from collections.abc import Callable, Iterable
from typing import Any

import waitress
from flask import Flask
from waitress.task import ThreadedTaskDispatcher

from mnist_kedro.serving.app import error_response
from mnist_kedro.serving.bodies import MAX_BODY_BYTES, RequestError
from mnist_kedro.serving.metrics import Metrics

_MAX_QUEUED = 64  # The workers need about 0.1 s for so many requests.
_MAX_CONNECTIONS = 500
_IDLE_SECONDS = 20
_API_PREFIX = "/api/"


def create_server(app: Flask, metrics: Metrics, host: str, port: int, threads: int) -> Any:
    """Create a server that listens; its ``run()`` serves until the process ends.

    One thread receives all bodies and sends all responses, so that slow clients occupy no worker;
    large bodies are buffered on disk. Pages, health checks and metrics have a worker of their own,
    so that they never wait for predictions. API requests get status 503 while the queue is full.

    Args:
        app: the Flask app.
        metrics: counts the requests that are shed.
        host: name or address to listen on.
        port: 0 for any free port.
        threads: number of workers for the API.

    Raises:
        OSError: if the address is invalid or in use.
    """
    dispatcher = _Dispatcher(threads)
    return waitress.create_server(
        shed_load(app, lambda: len(dispatcher.queue), metrics),
        _dispatcher=dispatcher,
        host=host,
        port=port,
        connection_limit=_MAX_CONNECTIONS,
        channel_timeout=_IDLE_SECONDS,
        cleanup_interval=5,
        max_request_body_size=2 * MAX_BODY_BYTES,  # Up to here the app sends its own message.
        max_request_header_size=16_384,
        asyncore_use_poll=True,
        clear_untrusted_proxy_headers=True,
        ident="mnist_kedro",
    )


class _Dispatcher(ThreadedTaskDispatcher):
    """Waitress's dispatcher for API requests, with a second one for all quick requests."""

    def __init__(self, threads: int) -> None:
        super().__init__()
        self._quick = ThreadedTaskDispatcher()
        self._quick.set_thread_count(1)
        self.set_thread_count(threads)

    def add_task(self, task: Any) -> None:
        """Queue a connection whose first request is complete."""
        if task.requests[0].path.startswith(_API_PREFIX):
            super().add_task(task)
        else:
            self._quick.add_task(task)

    def shutdown(self, cancel_pending: bool = True, timeout: int = 5) -> bool:
        """Stop all workers."""
        self._quick.shutdown(cancel_pending, timeout)
        return super().shutdown(cancel_pending, timeout)


def shed_load(
    app: Flask, queue_length: Callable[[], int], metrics: Metrics
) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    """Wrap the app to reject API requests with status 503 while ``queue_length()`` exceeds 64."""
    busy = error_response(RequestError(503, "busy", "too many requests are waiting; try again"))

    def wsgi_app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if queue_length() > _MAX_QUEUED and environ["PATH_INFO"].startswith(_API_PREFIX):
            metrics.shed.inc()
            return busy(environ, start_response)
        return app(environ, start_response)

    return wsgi_app
