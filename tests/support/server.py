"""The web app in a process of its own, and a client."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.processes import Background, background

FIRST, SECOND = "2026-01-01T00.00.00.000Z", "2026-01-02T00.00.00.000Z"  # versions of a model


class Answer(NamedTuple):
    """Of the server."""

    status: int
    headers: dict[str, str]
    body: Any  # of JSON; else bytes


class Server:
    """``python -m mnist_kedro.serving`` that listens."""

    def __init__(self, program: Background) -> None:
        self.program = program
        self.port = int(program.wait_for(r"http://127\.0\.0\.1:(\d+)")[1])
        self.address = f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: Any = None, kind: str = "image/png") -> Answer:
        """Send a request, of JSON if the body is a dict."""
        if isinstance(body, dict):
            body, kind = json.dumps(body), "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {"Content-Type": kind} if body else {})
            response = connection.getresponse()
            headers = {key.lower(): value for key, value in response.getheaders()}
            content = response.read()
        finally:
            connection.close()
        told = headers.get("content-type") == "application/json"
        return Answer(response.status, headers, json.loads(content) if told else content)


@contextmanager
def serving(folder: Path, *arguments: str, program: Path | None = None) -> Iterator[Server]:
    """Start the web app in a folder, on a free port."""
    command = ("-m", "mnist_kedro.serving", "--port", "0", *arguments)
    with background(*command, folder=folder, program=program) as started:
        yield Server(started)
