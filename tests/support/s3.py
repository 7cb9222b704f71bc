"""An S3-compatible server on this machine: moto's, a process of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

import s3fs

from tests.support.paths import ROOT
from tests.support.processes import background


@contextmanager
def s3_server(**variables: str) -> Iterator[dict[str, str]]:
    """Start a server; yield the environment variables with which programs find it."""
    with background("-m", "moto.server", "-p", "0", folder=ROOT, **variables) as server:
        yield {
            "AWS_ENDPOINT_URL": server.wait_for(r"Running on (http://127\.0\.0\.1:\d+)")[1],
            "AWS_ACCESS_KEY_ID": "anyone",
            "AWS_SECRET_ACCESS_KEY": "anything",
            "AWS_DEFAULT_REGION": "us-east-1",
        }


def s3_options(variables: dict[str, str]) -> dict[str, object]:
    """Return the options of ``s3fs`` that say the same as the variables."""
    return {
        "key": variables["AWS_ACCESS_KEY_ID"],
        "secret": variables["AWS_SECRET_ACCESS_KEY"],
        "client_kwargs": {"endpoint_url": variables["AWS_ENDPOINT_URL"]},
    }


def s3_files(variables: dict[str, str]) -> s3fs.S3FileSystem:
    """Return the files of a server."""
    return s3fs.S3FileSystem(**s3_options(variables), use_listings_cache=False)
