"""Run the pipeline ``teaching`` in a process of its own, one at a time."""

import contextlib
import importlib.util
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, Literal, TypedDict

from mnist_kedro.promotion import Promotion, read_decisions, read_promoted
from mnist_kedro.versions import find_versions, latest_version, version_path

logger = logging.getLogger(__name__)

CORRECTIONS = Path("data/01_raw/corrections")  # where the project's catalog looks for them
MODELS = Path("data/06_models")
MIN_CORRECTIONS = 10  # as `teaching.min_corrections` in the project's conf/base
_NICE = 10  # of the process; with 19 it would hardly run on a busy machine
_LOCK = ".lock"  # a file in the folder of the corrections
_ATTEMPTS = 5  # to lock it: who looks whether it is locked holds it for a moment
_PATIENCE = 10  # seconds for a process to end by itself
# Messages of the pipeline's log, with the share that is done by then, and the next step.
_MILESTONES = [
    (r"Kedro project", 0.03, "Loading the digits"),
    (r"corrections, ", 0.12, "Fine-tuning the network"),
    (r"Taught with strength", 0.25, "Fine-tuning with less weight on the corrections"),
    (r"Cross-validation: fold (\d+) of (\d+)", 0.85, "Cross-validating on held-out corrections"),
    (r"Cross-validation on ", 0.86, "Exporting the network"),
    (r" as ONNX: ", 0.93, "Comparing both networks"),
]

State = Literal["idle", "running", "promoted", "refused", "failed", "cancelled"]


class Progress(TypedDict):
    """The progress of a fine-tuning run."""

    state: State
    done: float  # 0–1
    step: str  # the current step, or the reason of a failure


def can_teach(models: Path, corrections: Path, name: str | None) -> str | None:
    """Return why this server cannot fine-tune the network; None if it can.

    Args:
        models: folder of the exported models.
        corrections: folder of the corrections.
        name: of the model, if the server serves one by its name instead of the promoted one.
    """
    if any(importlib.util.find_spec(package) is None for package in ("kedro", "tensorflow")):
        return "Kedro or TensorFlow is not installed on this server"
    if (models, corrections) != (MODELS, CORRECTIONS) or not Path("conf/base").is_dir():
        return f"the server must run in the project folder, with --corrections {CORRECTIONS}"
    return "the server was started with --model, so it cannot change the model" if name else None


class TeachingRun:
    """The latest fine-tuning run that this server started."""

    def __init__(
        self, models: Path, corrections: Path, on_promoted: Callable[[], None] = lambda: None
    ) -> None:
        """Create a run that is not started.

        Args:
            models: folder of the exported models.
            corrections: folder of the corrections.
            on_promoted: called when a fine-tuned network is promoted.
        """
        self._models, self._corrections = models, corrections
        self._on_promoted = on_promoted
        self._progress = Progress(state="idle", done=0.0, step="")
        self._process: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None
        self._cancelled = False
        self._lock = threading.Lock()

    @property
    def progress(self) -> Progress:
        """Return the progress, also if another server is fine-tuning."""
        lock = self._corrections / _LOCK
        if self._progress["state"] != "running" and lock.exists():
            with _locked(lock, shared=True) as descriptors:  # several may look at once
                if descriptors is None:
                    step = "Another server is fine-tuning the network"
                    return Progress(state="running", done=0.0, step=step)
        return self._progress

    def start(self, model: str) -> bool:
        """Start to fine-tune a model, unless a server does so already; return whether it starts.

        The process has a low priority, so that requests do not wait for it. It holds a lock
        until it ends, even if this server is killed before.
        """
        with self._lock:
            if self._progress["state"] == "running":
                return False
            command = ["run", "--pipelines", "teaching", "--params", f"training.models=[{model}]"]
            with _locked(self._corrections / _LOCK) as descriptors:
                if descriptors is None:
                    return False
                self._process = subprocess.Popen(  # noqa: S603
                    [sys.executable, "-m", "kedro", *command],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    encoding="utf-8",
                    errors="replace",
                    start_new_session=True,
                    pass_fds=descriptors,
                    env={**os.environ, "COLUMNS": "400", "DO_NOT_TRACK": "1"},
                )
            with contextlib.suppress(OSError, AttributeError):  # it has ended; not on Windows
                os.setpriority(os.PRIO_PGRP, self._process.pid, _NICE)
            self._cancelled = False
            self._progress = Progress(state="running", done=0.0, step="Starting")
            self._thread = threading.Thread(target=self._follow, name="teaching", daemon=True)
            self._thread.start()
            return True

    def cancel(self) -> bool:
        """Ask the process to end without a promotion. Return whether there was a process."""
        process = self._process
        if process is None or process.poll() is not None:
            return False
        self._cancelled = True
        self._progress = {**self._progress, "step": "Canceling"}
        _signal(process, signal.SIGINT)
        reminder = threading.Timer(_PATIENCE, _signal, (process, signal.SIGKILL))
        reminder.daemon = True
        reminder.start()
        return True

    def end(self) -> None:
        """Cancel, and wait until the process has ended."""
        if self.cancel() and self._thread is not None:
            self._thread.join(2 * _PATIENCE)

    def decision(self) -> Promotion | None:
        """Return the latest decision about a fine-tuned network; None if there is none."""
        decisions = read_decisions(self._models)
        return next((one for one in decisions if one["by"] == "teaching"), None)

    def held_out(self) -> dict[str, Any]:
        """Return the results of the latest cross-validation; empty if there is none."""
        folder = self._models.parent / "08_reporting" / "held_out_corrections.json"
        try:
            content: dict[str, Any] = json.loads(latest_version(folder).read_bytes())
        except (OSError, ValueError):
            return {}
        return content

    def forget(self, identifiers: Collection[str]) -> None:
        """Remove the copies of corrections that the pipeline made: pictures, snapshots, figures."""
        root = self._models.parent
        pictures = root / "05_model_input" / "correction_pictures"
        for identifier in identifiers:
            for picture in pictures.glob(f"*/{identifier}.png"):
                picture.unlink(missing_ok=True)
        snapshots = root / "05_model_input" / "corrections.hdf5"
        for version in [*find_versions(snapshots)]:
            if _contains(version_path(snapshots, version), identifiers):
                shutil.rmtree(snapshots / version)
                shutil.rmtree(root / "08_reporting/taught_digits.png" / version, ignore_errors=True)

    def _follow(self) -> None:
        """Read the log of the process until its end."""
        process = self._process
        assert process is not None  # noqa: S101
        assert process.stdout is not None  # noqa: S101
        last = ""
        with process.stdout:
            for line in process.stdout:
                last = " ".join(line.split()) or last
                self._note(line)
        if process.wait() == 0:
            decision, current = self.decision(), next(read_promoted(self._models), None)
            promoted = decision is not None and decision == current
            state: State = "promoted" if promoted else "refused"
            if promoted:
                self._on_promoted()
            self._progress = Progress(state=state, done=1.0, step="")
            logger.info("Teaching ended: %s.", state)
        elif self._cancelled:
            self._progress = Progress(state="cancelled", done=0.0, step="")
            logger.info("Teaching was cancelled.")
        else:
            logger.warning("Teaching failed: %s", last)
            reason = re.sub(r"^(\d\d:\d\d:\d\d\s+)?(ERROR\s+|Error: )?", "", last)
            self._progress = Progress(state="failed", done=0.0, step=reason)

    def _note(self, line: str) -> None:
        before = self._progress["done"]
        if self._cancelled:
            return
        for pattern, milestone, step in _MILESTONES:
            if found := re.search(pattern, line):
                done = milestone
                if found.lastindex:  # one part of several begins
                    done = 0.45 + (milestone - 0.45) * (int(found[1]) - 1) / int(found[2])
                elif before >= milestone:  # the same again
                    done = min(before + 0.05, 0.44)
                self._progress = Progress(state="running", done=round(done, 3), step=step)


def _signal(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Send a signal to a process and those that it started, unless it has ended."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)


def _contains(snapshot: Path, identifiers: Collection[str]) -> bool:
    """Return whether a snapshot has any of these corrections, or cannot be read."""
    import h5py  # noqa: PLC0415  (where snapshots are, the pipeline is installed)

    try:
        with h5py.File(snapshot) as file:
            return not {one.decode() for one in file["identifiers"]}.isdisjoint(identifiers)
    except (OSError, KeyError):
        return True


@contextlib.contextmanager
def _locked(path: Path, *, shared: bool = False) -> Iterator[tuple[int, ...] | None]:
    """Lock a file for the processes that get its descriptor; None if another one has the lock.

    Args:
        path: of the file.
        shared: whether others may share the lock.
    """
    try:
        import fcntl  # noqa: PLC0415  (not on Windows)
    except ModuleNotFoundError:
        yield ()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        for _ in range(_ATTEMPTS):
            with contextlib.suppress(OSError):
                fcntl.flock(file, kind | fcntl.LOCK_NB)
                break
            time.sleep(0.01)
        else:
            yield None
            return
        yield (file.fileno(),)
