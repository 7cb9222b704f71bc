"""Runs of a copy of the project that are meant to go wrong, and what is left of them.

Each run is a process of its own, forked from one that has imported the libraries: so a run takes 5
seconds instead of 15, and what happens at a random moment happens in the run, not in an import.
"""

import argparse
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tests.conftest import environment

SERVER = """
import json, os, signal, sys
import kedro.framework.cli.project, kedro.framework.session, kedro_datasets.json
import kedro_datasets.pandas, kedro_datasets.matplotlib, matplotlib.figure, seaborn, scipy.stats
import mnist_kedro.cli, mnist_kedro.plots.digits, mnist_kedro.evaluation.classification
import mnist_kedro.models.training, mnist_kedro.datasets.keras_model_dataset
from kedro.framework.cli import main
from mnist_kedro.datasets import atomic_filesystem

def kill_while_writing(name):
    write = atomic_filesystem._AtomicFile.write

    def write_half(self, data):
        if self._target.name != name:
            return write(self, data)
        write(self, bytes(data)[: len(bytes(data)) // 2])
        self._file.flush()
        os.kill(os.getpid(), signal.SIGKILL)

    atomic_filesystem._AtomicFile.write = write_half

for line in sys.stdin:
    arguments, log, name = json.loads(line)
    if not os.fork():
        os.setsid()
        # Who starts the tests in the background of a script has it ignored in all children.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.argv = ["kedro", *arguments]
        if name:
            kill_while_writing(name)
        main()
    print(json.dumps(os.wait()), flush=True)
"""
STAGE = re.compile(r"Done: (\S+)|Running (.ingestion.)|(\w+: epoch \d+)")


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    status: int  # exit status, or minus the signal
    log: str


class Project:
    """A copy of the project in which ``kedro run --env smoke`` is run many times."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data" / "smoke"
        variables = environment(folder)
        variables.pop("PYTHONDONTWRITEBYTECODE", None)
        self._server = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            cwd=folder,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        """End the server."""
        self._server.communicate()

    def run(
        self,
        *arguments: str,
        kill_after: float | None = None,
        kill_in: str | None = None,
        kill_when: str | None = None,
        kill_with: signal.Signals = signal.SIGKILL,
    ) -> Outcome:
        """``kedro run --env smoke``.

        Args:
            arguments: more of them.
            kill_after: so many seconds, if it is not done by then.
            kill_in: the file of that name, when half of its first piece is written.
            kill_when: its log has this text.
            kill_with: this signal, but for ``kill_in``.
        """
        log = self.folder / "run.log"
        log.unlink(missing_ok=True)
        question = json.dumps([["run", "--env", "smoke", *arguments], str(log), kill_in])
        self._server.stdin.write(question + "\n")
        self._server.stdin.flush()
        if kill_after is not None or kill_when is not None:
            time.sleep(kill_after or 0)
            for _ in range(2000):
                if not kill_when or (log.exists() and kill_when in log.read_text()):
                    break
                time.sleep(0.05)
            for child in _children(self._server.pid):
                os.killpg(child, kill_with)
        _, status = json.loads(self._server.stdout.readline())
        return Outcome(os.waitstatus_to_exitcode(status), log.read_text() if log.exists() else "")

    def files(self) -> dict[str, str]:
        """The digest of every file that a dataset may load: not of hidden ones."""
        return {
            str(path.relative_to(self.data)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.data.rglob("*"))
            if path.is_file() and not path.name.startswith(".") and "checkpoints" not in path.parts
        }

    def check(self, names: list[str]) -> None:
        """Open each file as its dataset would; half a file raises."""
        for name in names:
            _open(self.data / name)

    def check_recovery(self, expected: dict, *arguments: str) -> None:
        """Run again: it has the expected metrics, and every file there was is as it was."""
        left = self.files()
        good = self.run(*arguments)
        assert good.status == 0, good.log
        assert self.metrics() == expected, "the next run has another result"
        now = self.files()
        assert {name: now.get(name) for name in left} == left, "the next run changed a file"
        self.check(sorted(now.keys() - left.keys()))

    def metrics(self) -> dict:
        """The latest metrics, without what differs between equal runs."""
        path = max((self.data / "08_reporting" / "metrics.json").iterdir()) / "metrics.json"
        metrics = json.loads(path.read_text())
        for model in metrics["models"].values():
            del model["training_seconds"]
        return metrics


def report(description: str, counted: str, harness: Callable[[Path, int, int], Counter]) -> None:
    """Run a harness from the command line, and print what it counted.

    Args:
        description: of what it does.
        counted: what its counts are of.
        harness: of a folder to work in, how many times, and a seed.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        stages = harness(Path(folder), arguments.times, arguments.seed)
    result = {
        counted: stages.total(),
        "seconds": round(time.monotonic() - started),
        "after": dict(stages.most_common()),
    }
    print(json.dumps(result, indent=2))  # noqa: T201


def last_stage(log: str) -> str:
    """What a run had last said that it did."""
    found = [next(filter(None, match.groups())) for match in STAGE.finditer(log)]
    return found[-1] if found else "start"


def _children(parent: int) -> list[int]:
    """The runs that are going on; a killed one may be waiting for its parent to notice."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [int(child) for child in children.split()]


# Of whole files: 1,000 test digits, 333 to validate; two models, 17 corruptions of 5 severities and
# none; digits and three kinds of as many pictures, and a blank one; the layers of the CNN.
_LINES = {
    **dict.fromkeys(("cnn_predictions.csv", "dense_predictions.csv"), 1 + 1000),
    **dict.fromkeys(
        ("cnn_validation_predictions.csv", "dense_validation_predictions.csv"), 1 + 333
    ),
    "corruption_accuracies.csv": 1 + 2 * (17 * 5 + 1),
    "out_of_distribution_confidences.csv": 1 + 2 * (4 * 1000 + 1),
    "cnn_layers.csv": 1 + 20,
}
_LAST = {".html": "</html>\n", ".md": "CC BY-SA 3.0.\n"}


def _open(path: Path) -> None:
    from mnist_kedro.datasets import HDF5Dataset

    match path.suffix:
        case ".hdf5":
            HDF5Dataset(filepath=str(path)).load()
        case ".json":
            json.loads(path.read_text())
        case ".csv":
            lines = path.read_text().splitlines()
            if len(lines) != _LINES[path.name]:
                raise ValueError(f"{path}: {len(lines)} lines")
        case ".html" | ".md":
            if not path.read_text().endswith(_LAST[path.suffix]):
                raise ValueError(f"{path}: ends early")
        case ".png":
            with Image.open(path) as picture:
                picture.load()
        case ".keras":
            with zipfile.ZipFile(path) as archive:
                bad = archive.testzip()
            if bad:
                raise ValueError(f"{path}: {bad}")
        case _:
            raise ValueError(f"{path}: an unexpected file")
