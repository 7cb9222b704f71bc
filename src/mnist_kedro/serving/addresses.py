"""Listen on the addresses of a host."""

import errno
import os
import socket

from mnist_kedro.errors import InputError

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
