"""The server itself: a process, sockets, models that come and go."""

import contextlib
import http.client
import json
import socket
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mnist_kedro.serving.addresses import format_url, listen
from mnist_kedro.serving.app import create_app
from mnist_kedro.serving.metrics import Metrics
from mnist_kedro.serving.server import create_server
from tests.support.paths import PATIENCE, ROOT
from tests.support.processes import background
from tests.support.project import python
from tests.support.server import FIRST, SECOND, serving


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@contextlib.contextmanager
def running(app, sockets):
    """Serve an app in a thread of this process."""
    server = create_server(app, Metrics(), sockets, threads=1)
    threading.Thread(target=server.run, daemon=True).start()
    yield
    server.task_dispatcher.shutdown()
    server.close()


def test_it_answers(served, picture):
    assert served.ask("POST", "/api/predict", picture).body["model_version"] == FIRST
    assert served.ask("GET", "/readyz").body["status"] == "ok"


def test_tensorflow_is_not_imported():
    """Nor anything else that the server does not need, and that takes time or memory."""
    code = (
        "import sys, mnist_kedro.serving.app, mnist_kedro.serving.server;"
        "print(sorted({'.'.join(m.split('.')[:2]) for m in sys.modules}))"
    )
    told = python(ROOT, "-c", code).stdout
    assert "mnist_kedro" in told
    slow = ("tensorflow", "keras", "kedro", "pandas", "matplotlib", "h5py", "onnx")
    for package in (*slow, "scipy.stats", "scipy.optimize"):
        assert f"'{package}'" not in told


def test_a_new_model_is_served_without_a_restart(export, exported, picture):
    """Requests go on meanwhile, and all are answered."""
    with serving(ROOT, "--models", str(export())) as server:
        statuses, versions = [], []
        stop = threading.Event()

        def ask():
            while not stop.is_set():
                answer = server.ask("POST", "/api/predict", picture)
                statuses.append(answer.status)
                versions.append(answer.body["model_version"])

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        export(SECOND, b"damaged")
        server.program.wait_for("is not served")
        assert set(versions) == {FIRST}
        export("2026-01-03T00.00.00.000Z")
        wait_for(lambda: versions[-1] == "2026-01-03T00.00.00.000Z")
        stop.set()
        for thread in threads:
            thread.join()
        assert set(statuses) == {200}
        assert b"mnist_models_refused 1.0" in server.ask("GET", "/metrics").body
        assert server.program.terminate() == 0


def test_it_starts_without_a_model_and_takes_the_first(export, tmp_path, picture):
    with serving(ROOT, "--models", str(tmp_path / "06_models")) as server:
        answer = server.ask("POST", "/api/predict", picture)
        assert (answer.status, answer.body["code"]) == (503, "no_model")
        server.program.wait_for("no model 'cnn' to serve")
        export()
        wait_for(lambda: server.ask("GET", "/readyz").status == 200)
        assert server.ask("POST", "/api/predict", picture).status == 200


def resolve_localhost(*addresses):
    """Return a ``getaddrinfo`` for which localhost has these addresses."""
    resolve = socket.getaddrinfo

    def getaddrinfo(host, *arguments, **options):
        hosts = addresses if host == "localhost" else [host]
        return [row for name in hosts for row in resolve(name, *arguments, **options)]

    return getaddrinfo


def test_localhost_is_served_over_ipv4_and_ipv6(store, monkeypatch):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    monkeypatch.setattr(socket, "getaddrinfo", resolve_localhost("127.0.0.1", "::1"))
    sockets = listen("localhost", 0)
    assert len({listening.getsockname()[1] for listening in sockets}) == 1
    with running(create_app(store, Metrics()), sockets):
        for listening in sockets:
            with urllib.request.urlopen(f"{format_url(listening)}/api/model") as answer:
                assert answer.status == 200


def test_an_address_that_this_machine_lacks_is_skipped(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", resolve_localhost("2001:db8::1", "127.0.0.1"))
    (listening,) = listen("localhost", 0)
    assert format_url(listening) == f"http://127.0.0.1:{listening.getsockname()[1]}"
    listening.close()


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--port", "65536", "--port: expected an integer in 0-65535, found '65536'"),
        ("--port", "-1", "--port: expected an integer in 0-65535, found '-1'"),
        ("--threads", "0", "--threads: expected an integer in 1-64, found '0'"),
        ("--allowed-hosts", "a,http://b", "--allowed-hosts: expected host names without http://"),
        ("--host", "nowhere.invalid", "--host 'nowhere.invalid': cannot be resolved"),
        ("--host", "a..b", "--host 'a..b': cannot be resolved (not a host name)"),
        ("--host", "192.0.2.1", "--host 192.0.2.1 --port 0: cannot listen"),
    ],
)
def test_an_invalid_address_is_reported_before_a_model_is_loaded(export, option, value, message):
    arguments = ["--models", str(export()), "--port", "0", f"{option}={value}"]
    finished = python(ROOT, "-m", "mnist_kedro.serving", *arguments)
    assert finished.returncode in {1, 2}
    assert message in finished.stderr.splitlines()[-1]
    assert "Serving" not in finished.stderr


def test_a_port_in_use_is_reported_in_one_line(export):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        arguments = ["--models", str(export()), "--port", port]
        finished = python(ROOT, "-m", "mnist_kedro.serving", *arguments)
    assert finished.returncode == 1
    (line,) = finished.stderr.splitlines()
    assert f"--port {port}: cannot listen (Address already in use); expected" in line


def test_only_allowed_hosts_are_served(export):
    """Any host may be probed, as Kubernetes does by the address of the pod."""
    arguments = ("--models", str(export()), "--host", "0.0.0.0", "--port", "0")
    names = ("--allowed-hosts", "Digits.example,pod_1", "--allowed-hosts", "[fd00::1]")
    command = ("-m", "mnist_kedro.serving", *arguments, *names)
    with background(*command, folder=ROOT) as program:
        port = int(program.wait_for(r"Serving on http://0\.0\.0\.0:(\d+)")[1])

        def ask(path, host):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            connection.request("GET", path, headers={"Host": host})
            response = connection.getresponse()
            with contextlib.closing(connection):
                return response.status, response.read()

        for host in ("localhost", "127.8.8.8:1", "[::1]:8000", "digits.example", "POD_1:80"):
            assert ask("/api/model", host)[0] == 200
        assert ask("/", "[fd00:0::1]")[0] == 200
        for host in ("evil.example", "0.0.0.0", "10.0.0.7:8000", "localhost.evil.example", ""):
            for path in ("/", "/static/app.js", "/api/model", "/openapi.json", "/nowhere"):
                status, body = ask(path, host)
                assert (status, json.loads(body)["code"]) == (400, "host_not_allowed")
                assert "--allowed-hosts" in json.loads(body)["error"]
            for path in ("/healthz", "/readyz", "/metrics"):
                assert ask(path, host)[0] == 200


def test_without_its_packages_one_line_says_what_to_install():
    code = (
        "import sys; sys.modules['waitress'] = None;"
        "from mnist_kedro.serving.__main__ import main; main([])"
    )
    told = python(ROOT, "-c", code)
    assert told.returncode == 1
    assert told.stderr == (
        "Error: waitress is needed to serve; pip install 'mnist_kedro[serving]'.\n"
    )


def test_pages_and_health_checks_do_not_wait_for_pictures(store):
    """The only worker for the API is busy until the others are answered."""
    answered = threading.Event()
    app = create_app(store, Metrics())
    app.add_url_rule("/api/wait", "wait", lambda: str(answered.wait(PATIENCE)))
    sockets = listen("127.0.0.1", 0)

    def ask(path):
        with urllib.request.urlopen(f"{format_url(sockets[0])}{path}") as answer:
            return answer.read()

    with running(app, sockets), ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(ask, "/api/wait") for _ in range(4)]
        for path in ("/healthz", "/readyz", "/metrics", "/"):
            assert ask(path)
        answered.set()
        assert [wait.result() for wait in waiting] == [b"True"] * 4


def test_slow_clients_block_nobody(served, picture):
    slow = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(200)]
    for i, connection in enumerate(slow):
        connection.sendall(
            b"POST /api/predict HTTP/1.1\r\nContent-Length: 100000\r\n\r\nx"[: i + 9]
        )
    before = served.program.status("VmRSS")
    for _ in range(20):
        assert served.ask("POST", "/api/predict", picture).status == 200
    assert served.program.status("VmRSS") < before + 50_000
    for connection in slow:
        connection.close()


@pytest.mark.slow
def test_answers_or_sheds_200_requests(served, digits):
    """Batches take a while, so that they queue."""
    images = np.asarray(digits["images"])[:50, ..., 0]
    body = {"pixels": np.roll(images, 3, axis=1).tolist()}  # to be prepared anew
    answers = []

    def ask():
        # A connection that is refused for a moment is no answer.
        with contextlib.suppress(ConnectionError, http.client.HTTPException):
            answers.append(served.ask("POST", "/api/predict_batch", body))

    threads = [threading.Thread(target=ask) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = {answer.status for answer in answers}
    assert len(answers) > 190
    assert statuses == {200, 503}
    for answer in answers:
        if answer.status == 503:
            assert answer.body["code"] == "busy"
            assert answer.headers["retry-after"] == "1"
    assert served.program.status("VmHWM") < 600_000  # kB
    wait_for(lambda: served.ask("GET", "/api/model").status == 200)  # and it recovers
    assert b"mnist_requests_shed_total" in served.ask("GET", "/metrics").body


def test_what_is_too_large_is_refused_before_it_is_received(served):
    with socket.create_connection(("127.0.0.1", served.port)) as connection:
        connection.sendall(
            b"POST /api/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 413")
