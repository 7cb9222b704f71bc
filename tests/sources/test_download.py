"""Downloads from real HTTP servers on this machine."""

import functools
import time
from contextlib import ExitStack, suppress

import pytest

from mnist_kedro.digest import sha256
from mnist_kedro.errors import InputError
from mnist_kedro.sources.canonical import is_canonical
from mnist_kedro.sources.download import download_mnist
from tests.support.http import HtmlPage, Quiet, http_server
from tests.support.parameters import ingestion
from tests.support.paths import FULL_MNIST, PATIENCE, needs_full_mnist


@pytest.fixture
def download(tmp_path):
    def download(mirrors, *, only_if_reachable=False, **changes):
        values = {"timeout_seconds": 5, "download_folder": str(tmp_path / "download"), **changes}
        parameters = ingestion("download", mirrors=mirrors, **values)
        return download_mnist(parameters, only_if_reachable=only_if_reachable)

    return download


class Silent(Quiet):
    def do_GET(self):
        time.sleep(3)


class Dripping(Quiet):
    """Never silent for long, and done after ten minutes."""

    done = False

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "6000")
        self.end_headers()
        with suppress(ConnectionError):  # nobody waits any more
            for _ in range(6000):
                self.wfile.write(b"x")
                time.sleep(0.1)
            Dripping.done = True


def overloaded_at_first(directory):
    """A server that refuses its first request."""
    refused = []

    class Overloaded(Quiet):
        def do_GET(self):
            if len(refused) < 1:
                refused.append(self.path)
                self.send_error(503)
            else:
                super().do_GET()

    return functools.partial(Overloaded, directory=str(directory))


@pytest.fixture
def serve():
    with ExitStack() as stack:
        yield lambda handler: stack.enter_context(http_server(handler))


@needs_full_mnist
def test_downloads_from_the_first_mirror_that_has_it(serve, download, tmp_path):
    mirrors = [
        "http://127.0.0.1:1/",  # nothing listens
        serve(functools.partial(Quiet, directory=str(tmp_path))),  # 404
        serve(HtmlPage),
        serve(functools.partial(Quiet, directory=str(FULL_MNIST))),
    ]
    arrays = download(mirrors)
    assert is_canonical({key: sha256(array) for key, array in arrays.items()})

    folder = tmp_path / "download"
    assert len(list(folder.iterdir())) == 4
    assert len(download(["http://127.0.0.1:1/"])["y_train"]) == 60_000  # it is kept
    (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(b"damaged")
    with pytest.raises(InputError, match="refused"):
        download(["http://127.0.0.1:1/"])
    assert len(download(mirrors[-1:])["y_test"]) == 10_000


def test_lists_the_reason_of_every_mirror(serve, download, tmp_path):
    nothing_there = serve(functools.partial(Quiet, directory=str(tmp_path)))
    page, silent = serve(HtmlPage), serve(Silent)
    with pytest.raises(InputError) as error:
        download(["http://127.0.0.1:1/", nothing_there, page, silent], timeout_seconds=0.5)
    message = str(error.value)
    assert "127.0.0.1:1/: " in message
    assert "refused" in message
    assert f"{nothing_there}: 404" in message
    assert f"{page}: " in message
    assert "gzip" in message
    assert f"{silent}: Read timed out" in message
    assert "\n" not in message


@needs_full_mnist
def test_refuses_other_content_under_the_right_name(serve, download, tmp_path):
    labels = "t10k-labels-idx1-ubyte.gz"
    for file in FULL_MNIST.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "train-labels-idx1-ubyte.gz").unlink()
    (tmp_path / "train-labels-idx1-ubyte.gz").symlink_to(FULL_MNIST / labels)
    mirror = serve(functools.partial(Quiet, directory=str(tmp_path)))
    with pytest.raises(InputError, match="train-labels.*: not the canonical MNIST"):
        download([mirror])


@needs_full_mnist
def test_asks_a_mirror_again_that_was_overloaded(serve, download):
    mirror = serve(overloaded_at_first(FULL_MNIST))
    with pytest.raises(InputError, match="503"):
        download([mirror], attempts=1)
    mirror = serve(overloaded_at_first(FULL_MNIST))
    assert len(download([mirror], attempts=2)["y_test"]) == 10_000


def test_does_not_ask_again_where_something_else_lies(serve, download):
    asked = []

    class Counting(HtmlPage):
        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

    with pytest.raises(InputError, match="gzip"):
        download([serve(Counting)], attempts=3)
    assert len(asked) == 1


def test_gives_up_a_mirror_that_is_never_done(serve, download):
    with pytest.raises(InputError, match="not finished after 1 s"):
        download([serve(Dripping)], mirror_seconds=1)
    assert not Dripping.done


@pytest.mark.parametrize(
    "mirror", ["http://127.0.0.1:1/", "http://192.0.2.1/", "http://no.invalid/"]
)
def test_tells_soon_that_there_is_no_network(download, mirror):
    """A closed port, an address that does not answer, and a name that nobody has."""
    started = time.perf_counter()
    with pytest.raises(InputError, match="no mirror is reachable"):
        download([mirror], only_if_reachable=True)
    assert time.perf_counter() - started < PATIENCE


def test_looks_for_the_proxy_where_there_is_one(serve, download, monkeypatch):
    monkeypatch.setenv("http_proxy", serve(HtmlPage))
    with pytest.raises(InputError, match="gzip"):  # the proxy answers, with something else
        download(["http://192.0.2.1/"], only_if_reachable=True)
