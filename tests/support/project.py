"""A copy of the project, and runs of it."""

import atexit
import functools
import hashlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

from tests.support.paths import PATIENCE, ROOT


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    status: int  # exit status, or minus the signal
    log: str

    @property
    def last_line(self) -> str:
        """What a person sees in the end."""
        return self.log.strip().splitlines()[-1]


class Project:
    """A copy of the project in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data" / "smoke"  # of `--env smoke`

    @classmethod
    def clone(cls, folder: Path) -> Self:
        """Copy what a clone of the project has, without any output of a run."""
        folder.mkdir(parents=True)
        shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "conf", folder / "conf", ignore=shutil.ignore_patterns("local"))
        (folder / "conf" / "local").mkdir()
        names = ("pyproject.toml", "setup.py", ".telemetry", "README.md", "LICENSE")
        for name in (*names, "train_mnist.py"):
            shutil.copy(ROOT / name, folder / name)
        return cls(folder)

    def copy(self, folder: Path) -> "Project":
        """Copy the project with the outputs of its runs, to change them."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder)

    def start(self, *arguments: str, kill_in: str | None = None, **variables: str) -> "Run":
        """Start ``kedro`` in a process of its own.

        Args:
            arguments: for ``kedro``.
            kill_in: the name of a file; the run is killed when it has written half of it.
            variables: for the run's environment.
        """
        if not hasattr(os, "fork"):
            pytest.skip("this system cannot fork processes")
        log = self.folder / f"run_{time.monotonic_ns()}.log"
        request = {
            "arguments": arguments,
            "folder": str(self.folder),
            "log": str(log),
            "variables": variables,
            "kill_in": kill_in,
        }
        return Run(_fork_server().start(request), log)

    def kedro(self, *arguments: str, **variables: str) -> Outcome:
        """Run ``kedro`` to its end."""
        return self.start(*arguments, **variables).wait()

    def run(self, *arguments: str, **options: str) -> Outcome:
        """Run ``kedro run --env smoke``, whatever comes of it."""
        return self.start("run", "--env", "smoke", *arguments, **options).wait()

    def make(self, *arguments: str, **options: str) -> str:
        """Run ``kedro run --env smoke``, which has to succeed; return its log."""
        outcome = self.run(*arguments, **options)
        assert outcome.status == 0, outcome.log
        return outcome.log

    def versions(self, dataset: str) -> list[str]:
        """List the versions of a dataset by its path in the data folder."""
        folder = self.data / dataset
        return sorted(version.name for version in folder.iterdir()) if folder.exists() else []

    def latest(self, dataset: str) -> Path:
        """Return the file of the latest version of a dataset."""
        folder = self.data / dataset
        return folder / self.versions(dataset)[-1] / folder.name

    def latest_json(self, dataset: str) -> Any:
        """Load the latest version of a JSON dataset."""
        return json.loads(self.latest(dataset).read_text())

    def metrics(self) -> dict[str, Any]:
        """Load the latest metrics, without seconds: those differ between equal runs."""
        return without_seconds(self.latest_json("08_reporting/metrics.json"))

    def files(self) -> dict[str, str]:
        """Return the digest of every file that a dataset may load: not of hidden ones."""
        return {
            str(path.relative_to(self.data)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.data.rglob("*"))
            if path.is_file() and not path.name.startswith(".")
            if {"checkpoints", ".latest"}.isdisjoint(path.parts)
        }


class Run:
    """A run that goes on."""

    def __init__(self, pid: int, log: Path) -> None:
        self.pid, self._log = pid, log

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self._log.read_text() if self._log.exists() else ""

    def wait_for(self, text: str, times: int = 1) -> None:
        """Wait until the log has a text so many times; fail if the run ends before."""
        server = _fork_server()
        while self.log.count(text) < times:
            if server.ended(self.pid, seconds=0.02):
                assert self.log.count(text) >= times, self.log
                return

    def ends_within(self, seconds: float) -> bool:
        """Whether it ends within so many seconds; wait no longer."""
        return _fork_server().ended(self.pid, seconds)

    def send(self, number: signal.Signals, *, to_group: bool = True) -> None:
        """Send a signal to the run and, as a terminal does, to the processes that it started."""
        (os.killpg if to_group else os.kill)(self.pid, number)

    def wait(self) -> Outcome:
        """Wait for the end."""
        return Outcome(_fork_server().wait(self.pid), self.log)


class _ForkServer:
    """The other side of ``fork_server.py``."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from tests.support.fork_server import serve; serve()"],
            cwd=ROOT,
            env=environment(ROOT, ROOT),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        atexit.register(self._process.communicate)
        self._answers: queue.Queue[dict[str, int]] = queue.Queue()
        self._statuses: dict[int, int] = {}
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._process.stdout:
            self._answers.put(json.loads(line))
        self._answers.put({})  # so that nobody waits for more

    def _next(self, seconds: float) -> dict[str, int]:
        """Take an answer, and keep it if it is the status of a run; empty after the seconds."""
        try:
            answer = self._answers.get(timeout=seconds)
        except queue.Empty:
            return {}
        if not answer:
            self._answers.put(answer)
            pytest.fail("the fork server has ended; its standard error says why")
        if "status" in answer:
            self._statuses[answer["pid"]] = answer["status"]
        return answer

    def start(self, request: dict[str, Any]) -> int:
        """Start a run; return its process identifier."""
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            answer = self._next(PATIENCE)
            if answer and "status" not in answer:
                return answer["pid"]
        pytest.fail("the fork server does not answer")

    def ended(self, pid: int, seconds: float) -> bool:
        """Whether a run ends within so many seconds."""
        if pid not in self._statuses:
            self._next(seconds)
        return pid in self._statuses

    def wait(self, pid: int) -> int:
        """Wait for the exit status of a run."""
        end = time.monotonic() + PATIENCE
        while not self.ended(pid, 1):
            if time.monotonic() > end:
                os.killpg(pid, signal.SIGKILL)
                pytest.fail(f"a run was not done after {PATIENCE} s")
        return self._statuses.pop(pid)


@functools.cache
def _fork_server() -> _ForkServer:
    """Start the server when the first run needs it."""
    return _ForkServer()


def environment(project: Path, *more: Path) -> dict[str, str]:
    """Make the variables under which a new process imports the project's sources."""
    path = os.pathsep.join(str(folder) for folder in (project / "src", *more))
    variables = {**os.environ, "PYTHONPATH": path, "DO_NOT_TRACK": "1"}
    variables["OBJC_DISABLE_INITIALIZE_FORK_SAFETY"] = "YES"  # macOS, for forked runs
    variables.pop("PYTHONDONTWRITEBYTECODE", None)  # byte-code halves TensorFlow's import
    return variables


def python(
    project: Path, *arguments: str, program: str | Path = sys.executable, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a new Python in a project's folder: where the process itself is tested."""
    return subprocess.run(
        [str(program), *arguments],
        cwd=project,
        env={**environment(project), **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def without_seconds(value: Any) -> Any:
    """Remove durations, and the run that a model was trained by, from nested mappings."""
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if "seconds" not in k and k != "run"}
        return {k: without_seconds(v) for k, v in kept.items()}
    return value
