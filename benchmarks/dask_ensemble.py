"""Time the training of an ensemble on one and two single-core Dask workers.

    python -m benchmarks.dask_ensemble

Another measurement kills one of two workers. The benchmark needs the processed digits of a run
(``kedro run --pipelines data_processing``) and an idle machine with at least two cores. It writes
``benchmarks/results/dask_ensemble.md``.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from mnist_kedro.machine import processor

_ROOT = Path(__file__).parents[1]
_RESULTS = Path(__file__).parent / "results" / "dask_ensemble.md"
_MEMBERS = 4


def main() -> None:
    """Measure one worker, two workers, and two workers one of which is killed, repeatedly."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dask_ensemble", description=__doc__)
    parser.add_argument("--data", default=Path("data"), type=Path)
    parser.add_argument("--epochs", default=16, type=int, help="epochs of each network")
    parser.add_argument("--times", default=2, type=int, help="repetitions of each measurement")
    options = parser.parse_args()
    rows: list[tuple[float, float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        project = _project(Path(folder) / "project", options.data)
        for _ in range(options.times):
            one, expected = _train(project, 1, options.epochs)
            two, found = _train(project, 2, options.epochs)
            killed, again = _train(project, 2, options.epochs, kill=True)
            if not expected == found == again:
                sys.exit("Error: the histories differ.")
            rows.append((one, two, killed))
            print(f"{one:.1f} s, {two:.1f} s, {killed:.1f} s", file=sys.stderr)
    table = "\n".join(
        f"| {one:.1f} | {two:.1f} | **{two / one:.2f}** | {killed:.1f} |"
        for one, two, killed in rows
    )
    text = (
        "# An ensemble on Dask workers\n\n"
        f"Time in seconds for `kedro run --pipelines training` to train {_MEMBERS} networks for "
        f"{options.epochs} epochs; each worker has one core. The losses are the same in all "
        "runs.\n"
        f"{datetime.now(tz=UTC):%Y-%m-%d}, {processor()}, Python {platform.python_version()}; "
        "created by `python -m benchmarks.dask_ensemble`.\n\n"
        "| one worker | two workers | ratio | two workers, one killed after its first epoch |\n"
        f"|---|---|---|---|\n{table}\n"
    )
    _RESULTS.write_text(text)
    print(text)


def _project(folder: Path, data: Path) -> Path:
    folder.mkdir(parents=True)
    shutil.copytree(_ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(_ROOT / "conf", folder / "conf")
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(_ROOT / name, folder / name)
    shutil.copytree(data / "05_model_input", folder / "data" / "05_model_input")
    return folder


def _train(project: Path, workers: int, epochs: int, *, kill: bool = False) -> tuple[float, Any]:
    """Train on a cluster; return the time in seconds, and the losses of all networks."""
    with _cluster(project, workers) as (address, processes):
        start = time.perf_counter()
        options = {
            "--pipelines": "training",
            "--params": f"training.models=[cnn],training.members={_MEMBERS},"
            f"training.epochs={epochs}",
            "--runner": "mnist_kedro.runners.DaskRunner",
            "--runner-params": f"address={address}",
        }
        run = subprocess.Popen(
            [sys.executable, "-m", "kedro", "run", *chain(*options.items())],
            cwd=project,
            env=_environment(project),
            stderr=subprocess.PIPE,
            text=True,
        )
        lines = []
        for line in run.stderr or ():
            lines.append(line)
            if kill and "epoch 1 of" in line:
                os.kill(processes[0].pid, signal.SIGKILL)
                kill = False
        if run.wait():
            sys.exit("".join(lines))
        seconds = time.perf_counter() - start
    histories = sorted((project / "data" / "06_models").glob("*_history.json"))
    losses = {
        folder.name: json.loads((max(folder.iterdir()) / folder.name).read_text())["loss"]
        for folder in histories
    }
    return seconds, losses


def _environment(project: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(project / "src"), "DO_NOT_TRACK": "1"}


@contextmanager
def _cluster(project: Path, workers: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Start a scheduler, and workers that are pinned to one core each."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    local = ["--host", "127.0.0.1", "--no-dashboard"]
    commands = [["dask_scheduler", "--port", str(port), *local]]
    commands += [["dask_worker", address, "--nthreads", "1", "--no-nanny", *local]] * workers
    processes = []
    for core, (program, *arguments) in enumerate(commands, start=-1):
        pinned = ["taskset", "--cpu-list", str(core)] if core >= 0 else []
        processes.append(
            subprocess.Popen(
                [*pinned, sys.executable, "-m", f"distributed.cli.{program}", *arguments],
                cwd=project,
                env=_environment(project),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
    try:
        _wait_for(address, workers)
        yield address, processes[1:]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _wait_for(address: str, workers: int) -> None:
    from distributed import Client

    for _ in range(100):
        try:
            with Client(address, timeout=5) as client:
                client.wait_for_workers(workers, timeout=60)
                return
        except OSError:
            time.sleep(0.2)
    sys.exit(f"Error: {address} does not answer.")


if __name__ == "__main__":
    main()
