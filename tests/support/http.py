"""HTTP servers on this machine."""

import http.server
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
def http_server(handler: Callable[..., Any]) -> Iterator[str]:
    """Serve on a free port of this machine; yield the address."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
