"""The real server in a process of its own, and a client."""

import http.client
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.conftest import PATIENCE, environment


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any  # of JSON; else bytes


class Server:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for line in self.process.stderr:
            self.lines.append(line.rstrip())
            if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
                self._listening.set()
        self._listening.set()

    def wait(self) -> None:
        assert self._listening.wait(PATIENCE), self.lines
        assert hasattr(self, "port"), self.lines

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def status(self, key: str) -> int:
        """As VmRSS, in kB."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{key}:\s+(\d+)", text)[1])

    def ask(self, method: str, path: str, body: Any = None, kind: str = "image/png") -> Answer:
        if isinstance(body, dict):
            body, kind = json.dumps(body), "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {"Content-Type": kind} if body else {})
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        headers = {key.lower(): value for key, value in response.getheaders()}
        told = headers.get("content-type") == "application/json"
        return Answer(response.status, headers, json.loads(content) if told else content)

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(PATIENCE)


@contextmanager
def serving(
    project: Path, *arguments: str, python: str | Path = sys.executable
) -> Iterator[Server]:
    """``python -m mnist_kedro.serving`` in a project, until it listens."""
    process = subprocess.Popen(
        [str(python), "-m", "mnist_kedro.serving", "--port", "0", *arguments],
        cwd=project,
        env=environment(project),  # which finds its sources if it is one
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    server = Server(process)
    try:
        server.wait()
        yield server
    finally:
        process.kill()
        process.wait()
        server._thread.join(5)
        process.stderr.close()
