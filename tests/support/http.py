"""HTTP servers on this machine."""

import http.server
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and logs nothing."""

    def log_message(self, *args: object) -> None:
        """Log nothing."""


class HtmlPage(Quiet):
    """Answers whatever is asked with a page, as the log-in of a network does."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>Please log in to this network</html>")


@contextmanager
def http_server(
    handler: Callable[..., Any], encryption: ssl.SSLContext | None = None
) -> Iterator[str]:
    """Serve on a free port of this machine, over HTTPS with a context; yield the address."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if encryption:
            server.handle_error = lambda *_: None  # clients that do not trust the certificate
            server.socket = encryption.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http{'s' if encryption else ''}://127.0.0.1:{server.server_port}/"
        server.shutdown()
