"""Sources in remote stores: real servers of HTTPS and S3 on this machine."""

import functools
import gc
import hashlib
import logging
import os
import signal
import ssl
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import fsspec
import numpy as np
import pytest
import trustme

from mnist_kedro import arrays
from mnist_kedro.datasets import SourceStoreDataset
from mnist_kedro.errors import InputError
from mnist_kedro.remote_store import SourceStore, public_address, without_secrets
from mnist_kedro.sources import read_mnist, remote
from mnist_kedro.sources.layout import KEYS
from tests.support.files import write_mnist
from tests.support.http import Quiet, http_server
from tests.support.parameters import SMOKE, ingestion
from tests.support.paths import PATIENCE
from tests.support.s3 import s3_files, s3_options, s3_server

# s3fs 2026.7 leaves connections of aborted copies to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

SECRETS = ("hidden", "signature", "password")


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def trusted(authority, monkeypatch, tmp_path):
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """A temporary folder, which is empty after each test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    gc.collect()
    assert not list(folder.iterdir())


@pytest.fixture
def web(authority):
    """Serve with a handler over HTTPS, with a certificate of the authority; return the address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)

    def serve(handler, *, encrypted=True):
        plain = stack.enter_context(http_server(handler, context if encrypted else None))
        return plain.replace("127.0.0.1", "localhost")

    with ExitStack() as stack:
        yield serve


@pytest.fixture
def served(web, trusted, tmp_path, mnist):
    """The address of a folder with MNIST in some forms."""
    folder = tmp_path / "served"
    folder.mkdir()
    write_mnist(folder / "mnist.hdf5", mnist)
    write_mnist(folder / "idx", mnist)
    return web(functools.partial(Quiet, directory=str(folder)))


@pytest.fixture(scope="module")
def s3(mnist, tmp_path_factory):
    """Options of a server that has MNIST as IDX files and in HDF5."""
    folder = tmp_path_factory.mktemp("s3")
    write_mnist(folder / "idx", mnist)
    write_mnist(folder / "mnist.hdf5", mnist)
    (folder / "idx" / "notes.txt").write_text("not to be copied")
    with s3_server() as variables:
        files = s3_files(variables)
        files.mkdir("digits")
        files.put(f"{folder}/", "digits/", recursive=True)
        yield s3_options(variables)


def read(source, store=None, *, search_folder="nowhere", **limits):
    changed = SMOKE.ingestion.remote.model_copy(update=limits).model_dump()
    parameters = ingestion(source, remote=changed, search_folder=search_folder)
    return read_mnist(parameters, store)


def refusal(source, store=None, **limits):
    """Return the message with which a source is refused."""
    with pytest.raises(InputError) as error:
        read(source, store, **limits)
    message = str(error.value)
    assert message.startswith(public_address(source)), message
    assert "\n" not in message
    assert error.value.__cause__ is None  # which could show the address
    return message


def assert_equal(result, mnist):
    for key in KEYS:
        np.testing.assert_array_equal(result[key], mnist[key])


class Page(Quiet):
    """Sends bytes, and declares others."""

    content = b"x" * 10_000
    declared = None
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.send_response(200)
        if self.declared:
            self.send_header("Content-Length", str(self.declared))
        else:
            self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close")
        self.end_headers()

    def do_GET(self):
        self.do_HEAD()
        self.close_connection = True
        with suppress(OSError):
            self.send_content()

    def send_content(self):
        if self.declared:
            self.wfile.write(self.content)
        else:
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(self.content), self.content))


class Answers(Quiet):
    """Answers with a status."""

    status = 403
    location = None

    def do_GET(self):
        self.send_response(self.status)
        if self.location:
            self.send_header("Location", self.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_HEAD(self):
        self.do_GET()


def variant(handler, **attributes):
    return type(handler.__name__, (handler,), attributes)


def test_reads_a_file_over_https_and_shows_no_secret(served, mnist, caplog):
    caplog.set_level(logging.INFO)
    result = read(served.replace("://", "://hidden:password@") + "mnist.hdf5?sig=signature#hidden")
    assert_equal(result, mnist)
    assert result["source"] == f"{served}mnist.hdf5"
    assert f"copying {served}mnist.hdf5 to a temporary folder" in caplog.text
    shown = caplog.text + str({key: result[key] for key in result if key not in KEYS})
    assert not [secret for secret in SECRETS if secret in shown]


def test_reads_a_folder_of_idx_files_over_https(served, mnist):
    result = read(f"{served}idx/?sig=signature")
    assert_equal(result, mnist)
    assert result["source"] == f"{served}idx/"


def test_reads_from_s3_with_credentials(s3, mnist, caplog):
    caplog.set_level(logging.INFO)
    store = SourceStoreDataset(credentials=s3).load()
    for address in ("s3://digits/idx/", "s3://digits/idx", "s3://digits/mnist.hdf5"):
        result = read(address, store)
        assert_equal(result, mnist)
        assert result["source"] == address
    assert "copied 5 files" in caplog.text


def test_reads_from_any_store_that_fsspec_knows(tmp_path, mnist):
    path = write_mnist(tmp_path / "mnist.npz", mnist)
    fsspec.filesystem("memory").pipe("/digits/mnist.npz", path.read_bytes())
    assert_equal(read("memory://digits/mnist.npz"), mnist)
    assert_equal(read(f"file://{path}"), mnist)


def test_the_copy_lives_as_long_as_the_images_are_read(served, mnist, temporary, monkeypatch):
    monkeypatch.setattr("mnist_kedro.sources.images.MAX_IN_MEMORY", 300)
    result = read(f"{served}mnist.hdf5")
    assert isinstance(result["x_train"], arrays.Rows)
    assert list(temporary.iterdir())
    np.testing.assert_array_equal(result["x_train"][:], mnist["x_train"])


def test_errors_of_the_content_name_the_address(web, trusted):
    address = f"{web(variant(Page, declared=10_000))}mnist.hdf5"
    with pytest.raises(InputError) as error:
        read(address)
    assert str(error.value).startswith(f"{address}: ")
    assert "HDF5" in str(error.value)


@pytest.mark.parametrize("declared", [10_000, None])
def test_refuses_more_bytes_than_allowed(web, trusted, declared):
    """Declared, or sent in chunks without a length."""
    message = refusal(f"{web(variant(Page, declared=declared))}mnist.hdf5", max_bytes=9999)
    assert "too large: 10,000 bytes or more; at most 9,999 are copied" in message


def test_refuses_more_bytes_in_a_folder_than_allowed(s3):
    message = refusal("s3://digits/idx/", SourceStore(s3), max_bytes=100_000)
    assert "train-images-idx3-ubyte.gz: too large: " in message
    assert "at most 100,000 are copied" in message


def test_says_that_the_disk_is_too_small(web, trusted):
    message = refusal(f"{web(variant(Page, declared=10**18))}x.hdf5", max_bytes=10**19)
    assert "1,000,000,000,000,000,000 bytes are needed" in message
    assert "environment variable TMPDIR" in message


def test_says_that_the_disk_is_full(served, monkeypatch):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no device that is always full")
    full = Path("/dev/full").open("wb")  # noqa: SIM115  (the copy closes it)
    monkeypatch.setattr(remote.Path, "open", lambda *_: full)
    message = refusal(f"{served}mnist.hdf5")
    assert "No space left on device" in message
    assert "TMPDIR" in message


def test_gives_up_a_server_that_sends_nothing(web, trusted):
    class Silent(Quiet):
        def do_HEAD(self):
            time.sleep(3)

        def do_GET(self):
            self.do_HEAD()

    message = refusal(f"{web(Silent)}mnist.hdf5", timeout_seconds=0.5)
    assert "sent nothing for 0.5 s (ingestion.remote.timeout_seconds)" in message


def test_abandons_a_server_that_stalls_midway(web, trusted):
    class Stalling(Page):
        declared = 10**6

        def send_content(self):
            self.wfile.write(self.content)
            time.sleep(3)

    assert "sent nothing for 0.5 s" in refusal(f"{web(Stalling)}x.hdf5", timeout_seconds=0.5)


def test_gives_up_a_server_that_is_never_done(web, trusted):
    class Dripping(Page):
        declared = 6000

        def send_content(self):
            for _ in range(6000):
                self.wfile.write(b"x")
                time.sleep(0.05)

    started = time.perf_counter()
    message = refusal(f"{web(Dripping)}mnist.hdf5", total_seconds=1)
    assert "not copied after 1 s (ingestion.remote.total_seconds)" in message
    assert time.perf_counter() - started < PATIENCE / 10


def test_says_that_the_connection_was_cut(web, trusted):
    assert "cannot be read (" in refusal(f"{web(variant(Page, declared=10**6))}mnist.hdf5")


def test_checks_the_digest(served, tmp_path):
    digest = hashlib.sha256((tmp_path / "served" / "mnist.hdf5").read_bytes()).hexdigest()
    read(f"{served}mnist.hdf5", sha256=digest)
    other = "0" * 64
    message = refusal(f"{served}mnist.hdf5", sha256=other)
    assert f"expected SHA-256 {other} (ingestion.remote.sha256), found {digest}" in message
    assert "expected a file" in refusal(f"{served}idx/", sha256=other)
    with pytest.raises(InputError, match="ingestion.source=auto is not a URL"):
        read("auto", sha256=other)


def test_refuses_a_certificate_that_is_not_trusted(web):
    for path in ("mnist.hdf5", "idx/"):
        message = refusal(f"{web(Quiet)}{path}?sig=signature")
        assert "its certificate is not trusted" in message
        assert "SSL_CERT_FILE" in message
        assert "signature" not in message


def test_refuses_a_redirect_from_https_to_http(web, trusted, tmp_path):
    (tmp_path / "mnist.hdf5").touch()
    plain = web(functools.partial(Quiet, directory=str(tmp_path)), encrypted=False)
    for location in (f"{plain}mnist.hdf5?sig=signature", f"file://{tmp_path}/mnist.hdf5"):
        address = f"{web(variant(Answers, status=302, location=location))}mnist.hdf5"
        message = refusal(address)
        assert f"is redirected to {location.partition('?')[0]}" in message
        assert "expected https" in message
        assert "signature" not in message


def test_follows_a_redirect_that_stays_encrypted(web, served, mnist):
    location = f"{served}mnist.hdf5"
    address = web(variant(Answers, status=302, location=location))
    assert_equal(read(f"{address}mnist.hdf5"), mnist)


def test_says_what_the_store_refused(web, served, s3):
    assert "no such file" in refusal(f"{served}nothing.hdf5?sig=signature")
    assert "train-images-idx3-ubyte.gz: no such file" in refusal(f"{served}nothing/")
    assert "access denied (403 Forbidden)" in refusal(f"{web(Answers)}mnist.hdf5?sig=signature")
    assert "(503 Service Unavailable)" in refusal(f"{web(variant(Answers, status=503))}mnist.hdf5")
    store = SourceStore(s3)
    assert "no such file" in refusal("s3://digits/nothing.hdf5", store)
    assert "no such file" in refusal("s3://nowhere/mnist.hdf5", store)
    assert "no such file or folder" in refusal("s3://digits/empty/", store)


def test_says_that_s3_denies_access():
    with s3_server(INITIAL_NO_AUTH_ACTION_COUNT="0") as variables:
        message = refusal("s3://digits/mnist.hdf5", SourceStore(s3_options(variables)))
    assert "access denied" in message
    assert "'credentials' of the dataset source_store" in message
    assert "anything" not in message


def test_says_that_nothing_is_reachable():
    assert "Connect call failed" in refusal("https://localhost:1/mnist.hdf5")


def test_says_which_package_is_missing():
    message = refusal("gs://bucket/mnist.hdf5")
    assert "pip install gcsfs" in message
    assert "Protocol not known: nothing" in refusal("nothing://bucket/mnist.hdf5")
    assert "found a chain" in refusal("zip://mnist.npz::memory://mnist.zip")


def test_auto_finds_the_file_in_the_store(s3, mnist):
    store = SourceStore(s3)
    fsspec.filesystem("s3", **s3).copy("digits/mnist.hdf5", "digits/alone/mnist.hdf5")
    result = read("auto", store, search_folder="s3://digits/alone")
    assert_equal(result, mnist)
    assert result["source"] == "s3://digits/alone/mnist.hdf5"
    assert read("auto", store, search_folder="s3://digits/idx")["source"] == "s3://digits/idx/"
    assert read("auto", store, search_folder="s3://digits/nothing")["source"] == "sample"


def test_auto_refuses_to_choose_between_two_files_of_the_store(tmp_path, mnist):
    for name in ("a.npz", "b.hdf5"):
        path = write_mnist(tmp_path / name, mnist)
        fsspec.filesystem("memory").pipe(f"/two/{name}", path.read_bytes())
    with pytest.raises(InputError, match="expected one MNIST file, found 2"):
        read("auto", search_folder="memory://two")


def test_auto_goes_on_without_the_store_and_says_so(s3, caplog):
    store = SourceStore({**s3, "client_kwargs": {"endpoint_url": "http://127.0.0.1:1"}})
    result = read("auto", store, search_folder="s3://digits/x", timeout_seconds=2)
    assert result["source"] == "sample"
    assert "skipped the search folder s3://digits/x: " in caplog.text
    assert "put mnist.hdf5 or the IDX files into s3://digits/x" in caplog.text


def test_ctrl_c_removes_the_copy(web, trusted, temporary):
    begun, ended = threading.Event(), threading.Event()

    class Stalling(Page):
        declared = 10**6

        def send_content(self):
            self.wfile.write(self.content)
            begun.set()
            ended.wait(PATIENCE)

    def interrupt():
        begun.wait(PATIENCE)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        read(f"{web(Stalling)}mnist.hdf5")
    ended.set()
    thread.join()
    assert not list(temporary.iterdir())


def test_says_that_no_temporary_folder_is_writable(served, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/nowhere"])
    message = refusal(f"{served}mnist.hdf5")
    assert "cannot be copied to any temporary folder (No usable temporary directory" in message
    assert "set the environment variable TMPDIR" in message


def test_the_dataset_shows_no_secret():
    dataset = SourceStoreDataset(credentials={"key": "hidden", "secret": "password"})
    shown = f"{dataset} {dataset!r} {dataset.load()} {dataset.load()!r}"
    assert not [secret for secret in SECRETS if secret in shown]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("s3://bucket/my folder/x.npz", "s3://bucket/my folder/x.npz"),
        ("https://host:1/x.npz?sig=signature#hidden", "https://host:1/x.npz"),
        ("https://hidden:pass,w?o#r'd@host/my x.npz?a=signature b", "https://host/my x.npz"),
        (
            "see https://hidden:password@host/x?signature and s3://a/b",
            "see https://host/x and s3://a/b",
        ),
        ("data/mnist.hdf5", "data/mnist.hdf5"),
    ],
)
def test_secrets_are_removed_from_parameters(given, shown):
    assert without_secrets({"a": [given, 1]}) == {"a": [shown, 1]}
