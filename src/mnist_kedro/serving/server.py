"""The HTTP server in front of the app: bounded in connections, bytes and waiting requests."""

from collections.abc import Callable, Iterable
from typing import Any

import waitress
from flask import Flask
from waitress.task import ThreadedTaskDispatcher

from mnist_kedro.serving.app import error_response
from mnist_kedro.serving.bodies import MAX_BYTES, RequestError
from mnist_kedro.serving.metrics import Metrics

_WAITING = 64  # requests, at most; a tenth of a second's work, more or less
_CONNECTIONS = 500
_IDLE_SECONDS = 20
_API = "/api/"


def create_server(app: Flask, metrics: Metrics, host: str, port: int, threads: int) -> Any:
    """A server that listens; its ``run()`` answers until the program is told to end.

    Bodies are received, and answers sent, by one thread for all connections, so that slow clients
    keep no worker waiting; what is large waits on disk. Pages, health checks and metrics have a
    worker of their own, so that they never wait for pictures. When more requests wait than are
    soon answered, those to the API are answered with 503.

    Args:
        app: what answers.
        metrics: what is counted in.
        host: name or address to listen at.
        port: 0 for any that is free.
        threads: workers for the API.

    Raises:
        OSError: when it cannot listen there.
    """
    dispatcher = _Dispatcher(threads)
    return waitress.create_server(
        shed(app, lambda: len(dispatcher.queue), metrics),
        _dispatcher=dispatcher,
        host=host,
        port=port,
        connection_limit=_CONNECTIONS,
        channel_timeout=_IDLE_SECONDS,
        cleanup_interval=5,
        max_request_body_size=2 * MAX_BYTES,  # between the two, the app explains
        max_request_header_size=16_384,
        asyncore_use_poll=True,
        clear_untrusted_proxy_headers=True,
        ident="mnist_kedro",
    )


class _Dispatcher(ThreadedTaskDispatcher):
    """Waitress's dispatcher, with a second one for requests that are answered at once."""

    def __init__(self, threads: int) -> None:
        super().__init__()
        self._quick = ThreadedTaskDispatcher()
        self._quick.set_thread_count(1)
        self.set_thread_count(threads)

    def add_task(self, task: Any) -> None:
        """Queue a connection whose first request is complete."""
        if task.requests[0].path.startswith(_API):
            super().add_task(task)
        else:
            self._quick.add_task(task)

    def shutdown(self, cancel_pending: bool = True, timeout: int = 5) -> bool:
        """End all threads."""
        self._quick.shutdown(cancel_pending, timeout)
        return super().shutdown(cancel_pending, timeout)


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
        if waiting() > _WAITING and environ["PATH_INFO"].startswith(_API):
            metrics.shed.inc()
            return busy(environ, start_response)
        return app(environ, start_response)

    return answer
