"""Run the app behind Waitress, with limits on connections, body sizes and queued requests."""

import socket
from collections.abc import Callable, Iterable
from typing import Any

import waitress
from flask import Flask
from waitress import utilities
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import BaseWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher

from mnist_kedro.serving.app import error_response
from mnist_kedro.serving.bodies import (
    MAX_BODY_BYTES,
    SERVER_ERROR,
    RequestError,
    body_too_large,
)
from mnist_kedro.serving.metrics import Metrics

_MAX_QUEUED = 64  # The workers need about 0.1 s for so many requests.
_MAX_CONNECTIONS = 500
_IDLE_SECONDS = 20
_MAX_HEADER_BYTES = 16_384
_MAX_DISCARDED_BYTES = 16 * MAX_BODY_BYTES
_API_PREFIX = "/api/"


def create_server(app: Flask, metrics: Metrics, sockets: list[socket.socket], threads: int) -> Any:
    """Create a server; its ``run()`` serves until the process ends.

    One thread receives all bodies and sends all responses, so that slow clients occupy no worker;
    large bodies are buffered on disk. Pages, health checks and metrics have a worker of their own,
    so that they never wait for predictions. API requests get status 503 while the queue is full.

    Args:
        app: the Flask app.
        metrics: counts the requests that are shed.
        sockets: from :func:`~mnist_kedro.serving.addresses.listen`.
        threads: number of workers for the API.
    """
    dispatcher = _Dispatcher(threads)
    dispatchers: dict[int, Any] = {}
    server = waitress.create_server(
        shed_load(app, lambda: len(dispatcher.queue), metrics),
        map=dispatchers,
        _dispatcher=dispatcher,
        sockets=sockets,
        connection_limit=_MAX_CONNECTIONS,
        channel_timeout=_IDLE_SECONDS,
        cleanup_interval=5,
        max_request_body_size=2 * MAX_BODY_BYTES,  # Up to here the app sends its own message.
        max_request_header_size=_MAX_HEADER_BYTES,
        asyncore_use_poll=True,
        clear_untrusted_proxy_headers=True,
        ident="mnist_kedro",
    )
    for listening in dispatchers.values():
        if isinstance(listening, BaseWSGIServer):
            listening.channel_class = _Channel
    return server


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


class _Parser(HTTPRequestParser):
    """Waitress's parser, so that requests without a valid path get a response, too."""

    path = ""

    def parse_header(self, header_plus: bytes) -> None:
        """Parse the request line and the headers."""
        try:
            super().parse_header(header_plus)
        except ValueError as error:
            raise ParsingError("Bad URI") from error


class _JsonErrorTask(ErrorTask):
    """Waitress's response to a request that it rejects itself, as JSON."""

    def execute(self) -> None:
        """Send the response, and close the connection."""
        response = error_response(_describe(self.request.error))
        self.status = response.status
        self.response_headers.extend(response.headers.items())
        self.content_length = response.content_length
        self.set_close_on_finish()
        self.channel.rejected = True
        self.write(response.get_data())


class _Channel(HTTPChannel):
    """Waitress's connection to a client; after a rejected request it discards further input.

    If a connection is closed before all input is received, the system resets it, and many clients
    lose the response (RFC 9112, section 9.6). Therefore the server discards input until the client
    closes the connection, is idle for too long or has sent too much.
    """

    parser_class = _Parser
    error_task_class = _JsonErrorTask
    rejected = False
    _discarded_bytes: int | None = None  # None until the response to a rejected request is sent

    def handle_close(self) -> None:
        """Close the connection; after a rejection only stop sending, the first time."""
        if self.rejected and self._discarded_bytes is None and not self.total_outbufs_len:
            self._discarded_bytes = 0
            self.will_close = False
            try:
                self.socket.shutdown(socket.SHUT_WR)
            except OSError:  # The client has closed it.
                super().handle_close()
        else:
            super().handle_close()

    def received(self, data: bytes) -> bool:
        """Receive data of a request, or discard it."""
        if self._discarded_bytes is None:
            return super().received(data)
        self._discarded_bytes += len(data)
        self.will_close = self._discarded_bytes > _MAX_DISCARDED_BYTES
        return False


def _describe(error: utilities.Error) -> RequestError:
    if isinstance(error, utilities.RequestEntityTooLarge):
        return body_too_large()
    code = error.reason.lower().replace(" ", "_")
    if isinstance(error, utilities.InternalServerError):
        return RequestError(error.code, code, SERVER_ERROR)
    if isinstance(error, utilities.RequestHeaderFieldsTooLarge):
        message = f"request headers too large: expected at most {_MAX_HEADER_BYTES:,} bytes"
        return RequestError(error.code, code, message)
    return RequestError(error.code, code, f"request cannot be parsed: {error.body}")


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
