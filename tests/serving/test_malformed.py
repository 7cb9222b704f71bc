"""Requests that no client should send: each gets its answer, and the server lives."""

import gzip
import http.client
import json
import random
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.support.pictures import saved

PATHS = ["/api/predict", "/api/predict_batch", "/api/read", "/api/model", "/", "/metrics", "/%00"]
METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "BREW"]
KINDS = [
    "image/png", "image/jpeg", "image/tiff", "image/webp", "image/bmp", "application/json",
    "application/json; charset=utf-16", "text/plain", "multipart/form-data", "",
    "image/\x7f", "a" * 300,
]  # fmt: skip


@pytest.fixture(scope="module")
def pictures(digits):
    image = np.asarray(digits["images"])[0, ..., 0]
    return [saved(image, form) for form in ("PNG", "JPEG", "TIFF", "WEBP", "BMP")]


def value(rng, depth=0):
    """JSON of some kind."""
    kinds = ["number", "text", "constant", "list", "object", "rows"] if depth < 4 else ["number"]
    match rng.choice(kinds):
        case "number":
            return rng.choice([0, -1, 255, 256, 0.5, 1e308, 10**25, -(10**9)])
        case "text":
            return rng.choice(["", "x" * 1000, "\x00", "AAAA", "💥", "pixels"])
        case "constant":
            return rng.choice([None, True, False, float("nan"), float("inf")])
        case "list":
            return [value(rng, depth + 1) for _ in range(rng.randrange(6))]
        case "object":
            keys = ["pixels", "pictures", "", "x"]
            return {rng.choice(keys): value(rng, depth + 1) for _ in range(rng.randrange(3))}
        case _:
            filled = rng.choice([0, 300, -1, 0.5, "a", None, [1], True])
            return [[filled] * rng.choice([27, 28, 29])] * rng.choice([27, 28, 28, 29])


def damaged(rng, data):
    data = bytearray(data)
    for _ in range(rng.randrange(1, 20)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data[: rng.randrange(len(data) + 1)])


def body(rng, pictures):
    key = rng.choice(["pixels", "pictures"])
    bodies = [
        lambda: b"",
        lambda: rng.randbytes(rng.randrange(2000)),
        lambda: damaged(rng, rng.choice(pictures)),
        lambda: gzip.compress(rng.choice(pictures)),
        lambda: json.dumps(value(rng)).encode(),
        lambda: json.dumps({key: value(rng)}).encode(),
        lambda: json.dumps({key: value(rng)}).encode()[: rng.randrange(2000)],
    ]
    return rng.choice(bodies)()


def request(rng, pictures):
    """Bytes for the wire, of which HTTP itself may be wrong."""
    content = body(rng, pictures)
    length = rng.choice([len(content)] * 40 + [0, len(content) // 2, "x", -1, 10**18, ""])
    headers = [f"Content-Type: {rng.choice(KINDS[:6] * 5 + KINDS)}", f"Content-Length: {length}"]
    odd = rng.randrange(40)
    if odd == 0:
        headers.append("Transfer-Encoding: chunked")
    elif odd == 1:
        headers.append("X: " + "y" * 20_000)
    elif odd == 2:
        headers.append("Content-Encoding: gzip")
    elif odd == 3:
        headers.append("Expect: 100-continue")
    path = rng.choice(PATHS[:3] * 9 + PATHS) + rng.choice([""] * 9 + ["?x=%ff", "/../..", "\x01"])
    line = (
        f"{rng.choice(['POST'] * 9 + METHODS)} {path} HTTP/{rng.choice(['1.1', '1.1', '1.0', '9'])}"
    )
    whole = "\r\n".join([line, "Host: localhost", "Connection: close", *headers, "", ""])
    wire = whole.encode("latin-1", "replace") + content
    return damaged(rng, wire) if rng.randrange(20) == 0 else wire


def send(port, wire):
    """The status and the body of the answer; None where the server hung up, or waits for more."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        try:
            connection.sendall(wire)
            connection.shutdown(socket.SHUT_WR)  # nothing more comes
            response = http.client.HTTPResponse(connection)
            response.begin()
            return response.status, response.read()
        except (OSError, http.client.HTTPException):
            return None


LINE = b"POST /api/read HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize(
    ("wire", "status", "code"),
    [
        (b"GET / HTTP/1.1\r\nno header\r\n\r\n", 400, "bad_request"),
        (b"get / HTTP/1.1\r\n\r\n", 400, "bad_request"),
        (b"GET http://[ HTTP/1.1\r\n\r\n", 400, "bad_request"),
        (LINE + b"Content-Length: x\r\n\r\n", 400, "bad_request"),
        (LINE + b"Transfer-Encoding: chunked\r\n\r\nx\r\n\r\n", 400, "bad_request"),
        (LINE + b"Transfer-Encoding: gzip\r\n\r\n", 501, "not_implemented"),
        (LINE + b"X: " + b"y" * 10**6 + b"\r\n\r\n", 431, "request_header_fields_too_large"),
        (LINE + b"Content-Length: 99999999999\r\n\r\n", 413, "body_too_large"),
        (LINE + b"Content-Length: 40000000\r\n\r\n" + b"x" * 4 * 10**7, 413, "body_too_large"),
        (
            LINE + b"Transfer-Encoding: chunked\r\n\r\n2000000\r\n" + b"x" * 0x2000000,
            413,
            "body_too_large",
        ),
        (b"BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "method_not_allowed"),
    ],
    ids=[
        "header", "method", "address", "length", "chunk", "encoding", "long header", "huge length",
        "long body", "long chunk", "unknown method",
    ],
)  # fmt: skip
def test_each_rejection_is_json_and_arrives(served, wire, status, code):
    """The server answers while the client still sends, and the client gets the whole answer."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
        connection.sendall(wire)
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert response.getheader("Content-Type") == "application/json"
        body = json.loads(response.read())
    assert (response.status, body["code"]) == (status, code)
    assert 5 < len(body["error"]) < 200


@pytest.mark.parametrize("count", [500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_each_gets_an_answer_and_the_server_lives(served, pictures, count):
    counted = Counter()

    def batch(seed):
        rng = random.Random(seed)
        for _ in range(count // 100):
            answer = send(served.port, request(rng, pictures))
            counted[answer and answer[0]] += 1
            if answer:
                assert answer[0] < 500 or answer[0] in {501, 503}, answer
                assert b"Traceback" not in answer[1]
                assert b"mnist_kedro/" not in answer[1]
                if answer[0] >= 400 and answer[1]:  # responses to HEAD are empty
                    assert json.loads(answer[1]).keys() == {"error", "code"}

    def size():
        return served.program.status("VmRSS"), served.program.status("Threads")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(batch, range(10)))
        before = size()
        list(pool.map(batch, range(10, 100)))
    after = size()
    assert counted.total() == count
    assert counted[422] > count / 10, counted  # enough are HTTP, and are looked at
    assert {400, 413, 415, 422} <= counted.keys(), counted
    assert after[0] < before[0] + 40_000, (before, after)  # kB: nothing is kept
    assert after[1] == before[1]
    assert served.ask("POST", "/api/predict", pictures[0]).status == 200
    assert not [line for line in served.program.lines if "Traceback" in line]
    assert len([*Path(f"/proc/{served.program.process.pid}/fd").iterdir()]) < 40
