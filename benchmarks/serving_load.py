"""Measure the web app under load: ``python -m benchmarks.serving_load``, on an idle machine.

The benchmark starts ``python -m mnist_kedro.serving`` with the exported model. It sends test digits
as PNG files: from 8 clients, at a fixed rate, from 200 clients at once, and beside 200 slow clients
that never complete a request. Writes ``benchmarks/results/serving.md``.
"""

import argparse
import asyncio
import io
import json
import platform
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from mnist_kedro.serving.model import ModelStore, example_pixels

_RESULTS = Path(__file__).parent / "results" / "serving.md"
_HOST = "127.0.0.1"


class Answer(NamedTuple):
    """The response to one request."""

    status: int
    seconds: float
    retry: bool  # whether the response has the header Retry-After


class Load(NamedTuple):
    """The responses under one kind of load."""

    name: str
    answers: list[Answer]
    seconds: float
    megabytes: float  # peak resident memory of the server so far

    def row(self) -> str:
        """Format a row of the table."""
        served = sorted(1000 * a.seconds for a in self.answers if a.status == 200)
        p50, p99 = np.percentile(served, [50, 99]) if served else (np.nan, np.nan)
        refused = [a for a in self.answers if a.status == 503]
        other = len(self.answers) - len(served) - len(refused)
        return (
            f"| {self.name} | {len(served) / self.seconds:,.0f} | {p50:.1f} | {p99:.1f} | "
            f"{len(refused)} | {other} | {self.megabytes:.0f} |"
        )


class Connection:
    """A client with a persistent connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None

    async def send(self, request: bytes) -> Answer:
        """Send a request; a connection error counts as status 0."""
        start = time.perf_counter()
        try:
            if self._reader is None:
                self._reader, self._writer = await asyncio.open_connection(_HOST, self._port)
            self._writer.write(request)
            head = await self._reader.readuntil(b"\r\n\r\n")
            fields = head.lower()
            length = int(fields.partition(b"content-length:")[2].split(b"\r\n")[0])
            await self._reader.readexactly(length)
            if b"connection: close" in fields:
                await self.close()
            return Answer(
                int(head.split()[1]), time.perf_counter() - start, b"retry-after:" in fields
            )
        except (OSError, asyncio.IncompleteReadError):
            self._reader = None
            return Answer(0, time.perf_counter() - start, retry=False)

    async def close(self) -> None:
        """Close the connection."""
        if self._reader is not None:
            self._reader = None
            self._writer.close()


class Server:
    """Run ``python -m mnist_kedro.serving`` in a separate process."""

    def __init__(self, models: Path) -> None:
        with socket.socket() as free:
            free.bind((_HOST, 0))
            self.port = free.getsockname()[1]
        start = time.perf_counter()
        command = [sys.executable, "-m", "mnist_kedro.serving", "--port", str(self.port)]
        self._process = subprocess.Popen([*command, "--models", str(models)])
        while True:
            try:
                with urllib.request.urlopen(f"http://{_HOST}:{self.port}/healthz", timeout=9):
                    break
            except OSError:
                time.sleep(0.01)
        self.seconds = time.perf_counter() - start

    def megabytes(self) -> float:
        """Return the peak resident memory of the server in megabytes."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def end(self) -> None:
        """Stop the server."""
        self._process.terminate()
        self._process.wait(10)


def main() -> None:
    """Measure all kinds of load, and write a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving_load", description=__doc__)
    parser.add_argument("--models", default=Path("data/06_models"), type=Path)
    parser.add_argument("--seconds", default=15.0, type=float, help="duration of each kind of load")
    options = parser.parse_args()
    models = ModelStore(options.models, "cnn")
    models.refresh()
    if models.current is None:
        sys.exit(f"Error: {models.unavailable_reason}.")
    digits = [example_pixels(example) for example in models.current.description["examples"]]
    server = Server(options.models)
    try:
        rows = asyncio.run(_all(server, digits, options.seconds))
    finally:
        server.end()
    table = "\n".join(rows)
    text = (
        f"# The web app under load\n\nCreated by `python -m benchmarks.serving_load` on "
        f"{date.today()}, {machine()}; server and clients share two cores. The latency (p50, p99) "
        f"is that of requests with status 200, from the time at which they were due.\n\n"
        f"The server starts in {server.seconds:.2f} s.\n\n{table}\n"
    )
    _RESULTS.write_text(text)
    print(text)


async def _all(server: Server, digits: list[np.ndarray], seconds: float) -> list[str]:
    small = [_request("/api/predict", digit) for digit in digits]
    drawn = [_request("/api/read", _drawn(digit)) for digit in digits]
    rows = [
        "| load | status 200 per second | p50, ms | p99, ms | status 503 | other | memory, MB |",
        "|---|---|---|---|---|---|---|",
    ]

    async def measure(name: str, load: Awaitable[list[Answer]]) -> list[Answer]:
        start = time.perf_counter()
        answers = await load
        rows.append(Load(name, answers, time.perf_counter() - start, server.megabytes()).row())
        print(rows[-1], file=sys.stderr)
        return answers

    await _closed(server.port, small, 8, 2)  # warm-up
    await measure("8 clients, 28 × 28 PNGs", _closed(server.port, small, 8, seconds))
    await measure("8 clients, drawings", _closed(server.port, drawn, 8, seconds))
    await measure("200 requests per second", _open(server.port, small, 200, seconds))
    async with _slow_clients(server.port, small[0], 200):
        await measure(
            "200 requests per second beside 200 slow clients",
            _open(server.port, small, 200, seconds),
        )
        answers = await measure(
            "200 clients at once beside 200 slow ones", _closed(server.port, small, 200, seconds)
        )
    if not all(answer.retry for answer in answers if answer.status == 503):
        sys.exit("Error: a response with status 503 has no Retry-After header.")
    await measure("200 requests per second, afterwards", _open(server.port, small, 200, seconds))
    return rows


async def _closed(port: int, requests: list[bytes], clients: int, seconds: float) -> list[Answer]:
    """Send a request per client after each response, or a second after an error."""
    end = time.perf_counter() + seconds
    answers: list[Answer] = []

    async def client(number: int) -> None:
        connection = Connection(port)
        while time.perf_counter() < end:
            answers.append(await connection.send(requests[(number + len(answers)) % len(requests)]))
            if answers[-1].status != 200:
                await asyncio.sleep(1)
        await connection.close()

    await asyncio.gather(*map(client, range(clients)))
    return answers


async def _open(port: int, requests: list[bytes], rate: float, seconds: float) -> list[Answer]:
    """Send requests at fixed times, whether or not earlier ones have a response."""
    idle: list[Connection] = []
    begin = time.perf_counter()

    async def one(number: int) -> Answer:
        due = begin + number / rate
        await asyncio.sleep(max(0, due - time.perf_counter()))
        connection = idle.pop() if idle else Connection(port)
        answer = await connection.send(requests[number % len(requests)])
        idle.append(connection)
        return answer._replace(seconds=time.perf_counter() - due)

    answers = await asyncio.gather(*map(one, range(round(rate * seconds))))
    await asyncio.gather(*(connection.close() for connection in idle))
    return list(answers)


@asynccontextmanager
async def _slow_clients(port: int, request: bytes, clients: int) -> AsyncIterator[None]:
    """Start clients that send a byte every half second, and never complete a request."""

    async def client() -> None:
        _, writer = await asyncio.open_connection(_HOST, port)
        for i in range(len(request) - 1):
            writer.write(request[i : i + 1])
            await asyncio.sleep(0.5)

    tasks = [asyncio.create_task(client()) for _ in range(clients)]
    await asyncio.sleep(1)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        print(f"slow clients: {Counter(type(r).__name__ for r in results)}", file=sys.stderr)


def _request(path: str, picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    body = file.getvalue()
    return (
        f"POST {path} HTTP/1.1\r\nHost: {_HOST}\r\nContent-Type: image/png\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def _drawn(digit: np.ndarray) -> np.ndarray:
    """Enlarge a digit to the format of drawings of the page: 256 × 256, dark on white."""
    large = Image.fromarray(digit).resize((160, 160), Image.Resampling.BICUBIC)
    page = np.full((256, 256), 255, np.uint8)
    page[48:208, 48:208] -= np.asarray(large)
    return page


def machine() -> str:
    """Describe the versions of Python and the packages of the server."""
    versions = {name: _version(name) for name in ("flask", "waitress", "onnxruntime")}
    return f"Python {platform.python_version()}, {json.dumps(versions)[1:-1]}".replace('"', "")


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)


if __name__ == "__main__":
    main()
