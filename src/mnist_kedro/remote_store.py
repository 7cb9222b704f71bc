"""Open URLs of remote stores, and remove secrets from messages."""

import re
import ssl
from collections.abc import Mapping
from typing import Any, TypeVar

import fsspec
from fsspec.core import url_to_fs

from mnist_kedro.errors import InputError
from mnist_kedro.mappings import flatten

_T = TypeVar("_T")
_SHORTEST_SECRET = 8  # characters; masking shorter values would garble messages


def is_remote(source: str) -> bool:
    """Return whether a source is a URL such as ``s3://bucket/mnist.hdf5``, not a path."""
    return "://" in source


def is_web(address: str) -> bool:
    """Return whether a URL uses HTTP, which cannot list folders or distinguish them from files."""
    return address.startswith(("http://", "https://"))


def public_address(address: str) -> str:
    """Remove user name, password, query and fragment, which may contain keys and signatures."""
    return re.split("[?#]", re.sub(r"://[^/]*@", "://", address))[0]


def without_secrets(value: _T) -> _T:
    """Return a copy of nested mappings and lists with :func:`public_address` of all URLs."""
    new: Any = value
    if isinstance(value, str):
        whole = re.match(r"[\w+.-]+://", value)  # the URL may contain spaces
        new = re.sub(".+" if whole else r"\S+://\S+", lambda found: public_address(found[0]), value)
    elif isinstance(value, Mapping):
        new = {key: without_secrets(item) for key, item in value.items()}
    elif isinstance(value, list | tuple):
        new = type(value)(map(without_secrets, value))
    return new


class SourceStore:
    """Credentials and options to open the URL of ``ingestion.source``."""

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        """Store the options of an fsspec file system, such as ``key`` and ``secret`` of S3."""
        self._options = dict(options or {})

    def open(self, address: str, seconds: float) -> tuple[fsspec.AbstractFileSystem, str]:
        """Return the file system of a URL, and the path in this file system.

        Args:
            address: URL with a protocol that fsspec supports.
            seconds: timeout for a connection and for the next bytes, if the protocol is HTTP.

        Raises:
            InputError: if the URL is a chain such as ``zip://mnist.npz::s3://bucket/a.zip``.
            ImportError: if the package for this protocol is not installed.
            ValueError: if the protocol is unknown.
        """
        if "::" in address:
            raise InputError("expected one URL, found a chain with '::'")
        options = {"skip_instance_cache": True, **self._options}
        if is_web(address):
            options = _web_options(address, seconds, options)
        return url_to_fs(address, **options)

    def hide_secrets(self, text: str) -> str:
        """Remove the secrets from URLs, and replace the values of the options with asterisks."""
        text = without_secrets(text)
        for _, value in flatten(self._options):
            if isinstance(value, str) and len(value) >= _SHORTEST_SECRET and "://" not in value:
                text = text.replace(value, "***")
        return text


def _web_options(address: str, seconds: float, options: Mapping[str, Any]) -> dict[str, Any]:
    """Add the options for proxies, timeouts, unchanged bytes and encryption in aiohttp."""
    from aiohttp import ClientTimeout  # noqa: PLC0415  (only HTTP needs it)

    client = {
        "trust_env": True,  # use the proxies in environment variables
        "timeout": ClientTimeout(total=None, sock_connect=seconds, sock_read=seconds),
        "auto_decompress": False,  # some servers send .gz files as compressed responses
        "middlewares": [_reject_unencrypted] if address.startswith("https") else [],
    }
    return {
        "ssl": ssl.create_default_context(),
        **options,
        "headers": {"Accept-Encoding": "identity", **options.get("headers", {})},
        "client_kwargs": {**client, **options.get("client_kwargs", {})},
    }


async def _reject_unencrypted(request: Any, handler: Any) -> Any:
    """Reject a redirect from https to another protocol."""
    if request.url.scheme != "https":
        raise InputError(
            f"is redirected to {public_address(str(request.url))}, which is not encrypted; "
            "expected https"
        )
    return await handler(request)
