"""Programs that run beside a test: servers, clusters, other users of a file."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.paths import PATIENCE
from tests.support.project import environment


class Background:
    """A Python program that goes on until the test is done with it."""

    def __init__(
        self, arguments: tuple[str, ...], folder: Path, program: Path | None, variables: dict
    ) -> None:
        self.process = subprocess.Popen(
            [str(program or sys.executable), *arguments],
            cwd=folder,
            env={**environment(folder), **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line.rstrip())
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def wait_for(self, pattern: str, count: int = 1) -> re.Match[str]:
        """Wait until so many lines match a pattern; return the last match.

        Raises:
            AssertionError: if the program ends before.
        """

        def matches() -> list[re.Match[str]]:
            return [found for line in self.lines if (found := re.search(pattern, line))]

        with self._news:
            self._news.wait_for(
                lambda: len(matches()) >= count or not self._reader.is_alive(), PATIENCE
            )
        assert len(matches()) >= count, "\n".join(self.lines)
        return matches()[count - 1]

    def tell(self, line: str) -> None:
        """Write a line to the program's standard input."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def status(self, key: str) -> int:
        """Read a number of ``/proc/<pid>/status``, such as ``VmRSS`` in kB."""
        path = Path(f"/proc/{self.process.pid}/status")
        if not path.exists():
            pytest.skip("this system has no /proc")
        text = path.read_text()
        return int(re.search(rf"{key}:\s+(\d+)", text)[1])

    def terminate(self) -> int:
        """Send SIGTERM; return the exit status."""
        self.process.terminate()
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """Kill the program and the processes that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join(PATIENCE)
        self.process.stdin.close()
        self.process.stdout.close()


@contextmanager
def background(
    *arguments: str, folder: Path, program: Path | None = None, **variables: str
) -> Iterator[Background]:
    """Start Python in a folder, with the sources of the project there; kill it in the end.

    Args:
        arguments: for Python.
        folder: where the program starts.
        program: another Python.
        variables: for its environment.
    """
    started = Background(arguments, folder, program, variables)
    try:
        yield started
    finally:
        started.kill()
