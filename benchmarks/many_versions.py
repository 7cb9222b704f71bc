"""Measure how many dataset versions delay a run: ``python -m benchmarks.many_versions``.

The benchmark makes a smoke run in a copy of the project, adds versions that are hard links, and
measures the CPU time from the start of ``kedro run`` to its first node, alternating between few and
many versions. Other programs affect CPU time less than elapsed time; the folders are in the disk
cache. Writes ``benchmarks/results/many_versions.md``; takes about three minutes.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

from mnist_kedro.machine import processor
from mnist_kedro.versions import latest_version

_ROOT = Path(__file__).parents[1]
_RESULTS = Path(__file__).parent / "results" / "many_versions.md"
_PIPELINES = ("data_processing", "training", "reporting")
_FEW = 10
_RUN_TO_FIRST_NODE = """
import os, sys
from kedro.framework.cli import main
from kedro.pipeline.node import Node
Node.run = lambda *_: os._exit(0)
sys.argv = ["kedro", "run", "--env", "smoke", "--pipelines", *sys.argv[1:]]
main()
sys.exit("no node has run")
"""


def main() -> None:
    """Measure all pipelines, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--versions", default=2000, type=int, help="number of versions of each dataset"
    )
    parser.add_argument("--times", default=7, type=int, help="repetitions of each measurement")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        few, many = _project(Path(folder, "few")), Path(folder, "many")
        shutil.copytree(few, many)
        _add_versions(few, _FEW)
        datasets = _add_versions(many, options.versions)
        rows = [_measure(pipeline, few, many, options.times) for pipeline in _PIPELINES]
    _RESULTS.write_text(
        f"# Start-up time with {options.versions:,} versions of each dataset\n\n"
        "CPU seconds from the start of `kedro run --env smoke --pipelines …` to its first node, "
        f"with versions of {datasets} datasets on a local disk; medians of {options.times} pairs "
        f"of runs.\n{date.today()}, {processor()}, {os.cpu_count()} cores, Python "
        f"{sys.version.split()[0]}; created by `python -m benchmarks.many_versions`.\n\n"
        f"| pipeline | {_FEW} versions | {options.versions:,} versions | median difference |\n"
        "|---|---|---|---|\n" + "\n".join(rows) + "\n"
    )


def _project(folder: Path) -> Path:
    """Copy the project, and make a smoke run in the copy."""
    for name in ("src", "conf", "pyproject.toml", ".telemetry"):
        copy = shutil.copytree if (_ROOT / name).is_dir() else shutil.copy
        folder.mkdir(exist_ok=True)
        copy(_ROOT / name, folder / name)
    _run(folder, "-m", "kedro", "run", "--env", "smoke")
    return folder


def _add_versions(project: Path, count: int) -> int:
    """Add hard links until each dataset has ``count`` versions; return the number of datasets."""
    datasets = [path for path in project.glob("data/smoke/*/*") if latest_version(path) != path]
    for dataset in datasets:
        latest = latest_version(dataset)
        for number in range(count - 1):
            version = dataset / f"2020-01-01T00.00.00.{number:04d}Z"
            version.mkdir()
            os.link(latest, version / dataset.name)
    return len(datasets)


def _measure(pipeline: str, few: Path, many: Path, times: int) -> str:
    """Measure a pipeline; return a row of the table."""
    pairs = [
        [_run(project, "-c", _RUN_TO_FIRST_NODE, pipeline) for project in (few, many)]
        for _ in range(times + 1)
    ][1:]  # The first pair fills the disk cache.
    medians = [statistics.median(seconds) for seconds in zip(*pairs, strict=True)]
    difference = statistics.median(seconds[1] - seconds[0] for seconds in pairs)
    print(pipeline, medians, difference, file=sys.stderr)
    return f"| {pipeline} | {medians[0]:.2f} | {medians[1]:.2f} | **{difference:.2f}** |"


def _run(project: Path, *arguments: str) -> float:
    """Run Python in the project; return the CPU time in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    variables = {**os.environ, "PYTHONPATH": str(project / "src")}
    finished = subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        sys.exit(finished.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
