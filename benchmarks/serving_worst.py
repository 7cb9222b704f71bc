"""Measure the slowest requests of the web app: ``python -m benchmarks.serving_worst``.

Each request is sent alone, and then by four clients at once while another client requests
``/healthz``. Writes ``benchmarks/results/serving_worst.md``.
"""

import argparse
import asyncio
import base64
import json
import sys
import time
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmarks.serving_load import Connection, Server, machine

_RESULTS = Path(__file__).parent / "results" / "serving_worst.md"


class Request(NamedTuple):
    """A request to measure."""

    name: str
    path: str
    body: bytes
    kind: str = "application/json"

    def encoded(self) -> bytes:
        """Encode the request as HTTP."""
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {self.kind}\r\n"
            f"Content-Length: {len(self.body)}\r\n\r\n"
        )
        return head.encode() + self.body


def worst_requests() -> Iterator[Request]:
    """Create small requests that take long to process, up to the limits of the server."""
    for count, side in ((100, 1023), (61, 512), (244, 256), (1000, 126), (1000, 64), (1000, 30)):
        picture = base64.b64encode(_saved(_page(side), "PNG")).decode()
        body = json.dumps({"pictures": [picture] * count}).encode()
        yield Request(f"{count} PNGs of {side}²", "/api/predict_batch", body)
    pixels = json.dumps({"pixels": [_page(28).tolist()] * 1000}).encode()
    yield Request("1,000 digits of 28² as numbers", "/api/predict_batch", pixels)
    colored = Image.fromarray(_page(4000)).convert("RGBA")
    for form, options in (("PNG", {}), ("WEBP", {"lossless": True, "method": 0})):
        body = _saved(colored, form, **options)
        yield Request(f"a {form} of 16 megapixels", "/api/read", body, f"image/{form.lower()}")
    photo = _saved(Image.fromarray(_page(7000)).convert("RGB"), "JPEG", progressive=True)
    yield Request("a progressive JPEG of 49 megapixels", "/api/read", photo, "image/jpeg")
    lists = b'{"pixels": [' + b"[]," * 2_600_000 + b"0]}"
    yield Request("2,600,000 empty lists", "/api/predict_batch", lists)
    numbers = b'{"pixels": [' + b"0," * 799_000 + b"0]}"
    yield Request("799,000 numbers", "/api/predict_batch", numbers)


def _page(side: int) -> np.ndarray:
    page = np.full((side, side), 230, np.uint8)
    page[side // 5 : -side // 5, side // 2 - side // 30 - 1 : side // 2 + side // 30 + 1] = 20
    return page


def _saved(picture: np.ndarray | Image.Image, form: str, **options: bool | int) -> bytes:
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    file = BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


async def measure(port: int, request: Request) -> str:
    """Send a request alone, and four times at once; return a row of the table."""
    wire = request.encoded()
    alone = [await Connection(port).send(wire) for _ in range(3)]
    healthy: list[float] = []

    async def ask_for_health() -> None:
        while True:
            start = time.perf_counter()
            await Connection(port).send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            healthy.append(time.perf_counter() - start)
            await asyncio.sleep(0.01)

    health = asyncio.create_task(ask_for_health())
    four = await asyncio.gather(*(Connection(port).send(wire) for _ in range(4)))
    health.cancel()
    return (
        f"| {request.name} | {len(wire) / 1000:,.0f} | {alone[0].status} | "
        f"{min(answer.seconds for answer in alone):.2f} | "
        f"{max(answer.seconds for answer in four):.2f} | {1000 * max(healthy):.0f} |"
    )


def main() -> None:
    """Measure all requests, and write a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving_worst", description=__doc__)
    parser.add_argument("--models", default=Path("data/06_models"), type=Path)
    server = Server(parser.parse_args().models)
    rows = [
        "| request | kB | status | alone, s | slowest of four, s | slowest `/healthz`, ms |",
        "|---|---|---|---|---|---|",
    ]
    try:
        for request in worst_requests():
            rows.append(asyncio.run(measure(server.port, request)))
            print(rows[-1], file=sys.stderr)
    finally:
        server.end()
    table = "\n".join(rows)
    _RESULTS.write_text(
        "# The slowest requests of the web app\n\n"
        f"Created by `python -m benchmarks.serving_worst` on {date.today()}, {machine()}; server "
        "and clients share two cores. *Alone* is the fastest of three requests. `/healthz` is "
        f"requested every 10 ms while four clients send the request.\n\n{table}\n"
    )


if __name__ == "__main__":
    main()
