"""Listen on the addresses of a host, and check which host a request names."""

import errno
import ipaddress
import os
import re
import socket
from collections.abc import Collection, Iterable

from mnist_kedro.errors import InputError

Host = str | ipaddress.IPv4Address | ipaddress.IPv6Address

# /etc/hosts may name ::1 on a machine without IPv6.
_NOT_OF_THIS_MACHINE = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


def listen(host: str, port: int) -> list[socket.socket]:
    """Listen on each address of a host, such as 127.0.0.1 and ::1 of localhost.

    Args:
        host: name or address of this machine.
        port: 0 for any free port; all addresses have the same.

    Returns:
        A socket for each address.

    Raises:
        InputError: if the host is not this machine, or the port is in use.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a host name"
        raise InputError(
            f"--host {host!r}: cannot be resolved ({reason}); expected a name or an address of "
            "this machine, such as 127.0.0.1."
        ) from error
    sockets: list[socket.socket] = []
    failed: OSError | None = None
    for family, (address, _, *scope) in dict.fromkeys((row[0], row[4]) for row in found):
        try:
            sockets.append(socket.create_server((address, port, *scope), family=family))
        except OSError as error:
            failed = error
            if error.errno not in _NOT_OF_THIS_MACHINE:
                sockets.clear()
                break
        else:
            port = sockets[0].getsockname()[1]
    if failed is not None and not sockets:
        raise InputError(
            f"--host {host} --port {port}: cannot listen ({os.strerror(failed.errno or 0)}); "
            "expected an address of this machine and a free port, such as --port 0."
        ) from failed
    return sockets


def format_url(listening: socket.socket) -> str:
    """Return the URL of a socket that listens."""
    address, port, *_ = listening.getsockname()
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def parse_host(text: str) -> Host:
    """Return an address, or a name in lower case, so that equal hosts compare equal."""
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return text.rstrip(".").lower()


def list_allowed_hosts(
    names: Iterable[Host], host: str, sockets: Iterable[socket.socket]
) -> frozenset[Host]:
    """Return the hosts that requests may name: those listened on, and others by name.

    Listening on all addresses, as with 0.0.0.0, allows none of them.
    """
    addresses = [parse_host(listening.getsockname()[0]) for listening in sockets]
    hosts = {"localhost", parse_host(host), *addresses, *names}
    return frozenset(host for host in hosts if not getattr(host, "is_unspecified", False))


def is_allowed(header: str, allowed: Collection[Host]) -> bool:
    """Return whether the header ``Host`` of a request names an allowed host or a loopback address.

    A web page can reach this server under a name of its own, which it resolves to an address of
    this machine (DNS rebinding). It then has that name in this header.
    """
    host = parse_host(re.sub(r":\d*$", "", header))
    return host in allowed or getattr(host, "is_loopback", False)
