"""Measure memory and time of all pipelines with up to millions of digits.

    python -m benchmarks.scale

The benchmark generates digits from MNIST (``benchmarks/generate.py``), runs every pipeline on them
with ``kedro run``, and writes ``scale.csv``, ``scale.md`` and ``scale.png`` to
``benchmarks/results``. It needs an idle machine and about 2 kB of disk space per digit; 8.1 million
digits take half an hour.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import psutil
from matplotlib.figure import Figure

from benchmarks.generate import generate_digits
from mnist_kedro.datasets import HDF5Dataset
from mnist_kedro.machine import processor
from mnist_kedro.plots.style import (
    BLUE,
    ORANGE,
    PALETTE,
    add_legend,
    annotate,
    create_figure,
    styled,
)
from mnist_kedro.versions import latest_version

_ROOT = Path(__file__).parents[1]
_RESULTS = Path(__file__).parent / "results"
_START = 7_000  # so few digits that the time is the fixed cost of a run
_REFERENCE = 70_000
_SECONDS = 0.05  # between two measurements of the memory
_STAGES = ("ingestion", "data_processing", "training", "reporting", "inference")
_GIB = 2**30


def main() -> None:
    """Measure each number of digits; repeat the small numbers."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--mnist", default="auto", help="source of MNIST, as ingestion.source")
    parser.add_argument("--digits", type=int, nargs="+", default=[_REFERENCE, 700_000, 8_100_000])
    parser.add_argument(
        "--times", type=int, default=3, help="repetitions with up to 100,000 digits"
    )
    parser.add_argument(
        "--folder", type=Path, help="folder of the data; a temporary one by default"
    )
    parser.add_argument("--results", type=Path, default=_RESULTS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        project = _project(Path(folder) / "project")
        _run(project, "--pipelines", "ingestion", "--params", f"ingestion.source={options.mnist}")
        counts = [_START, *options.digits]
        made = {count: _generate(project, count) for count in counts}
        rows = []
        for count in counts:
            for _ in range(options.times if count <= 100_000 else 1):
                rows += list(_measure(project, count, made[count]))
                print(pd.DataFrame(rows).tail(len(_STAGES)).to_string(), file=sys.stderr)
    measured = pd.DataFrame(rows)
    options.results.mkdir(exist_ok=True)
    measured.to_csv(options.results / "scale.csv", index=False, float_format="%.3f")
    write(options.results, measured)


def _project(folder: Path) -> Path:
    folder.mkdir(parents=True)
    shutil.copytree(_ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(_ROOT / "conf", folder / "conf", ignore=shutil.ignore_patterns("local"))
    (folder / "conf" / "local").mkdir()
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(_ROOT / name, folder / name)
    return folder


def _generate(project: Path, count: int) -> Path:
    path = project / f"generated_{count}.hdf5"
    mnist = HDF5Dataset(filepath=str(latest_version(project / "data/01_raw/mnist.hdf5"))).load()
    HDF5Dataset(filepath=str(path)).save(generate_digits(mnist, count))
    return path


def _measure(project: Path, count: int, digits: Path) -> Iterator[dict[str, object]]:
    mnist = project / "data/01_raw/mnist.hdf5"
    parameters = {
        "ingestion": f"ingestion.source={digits}",
        "data_processing": "",
        "training": "training.models=[cnn],training.epochs=1",
        "reporting": "training.models=[cnn]",
        "inference": f"training.models=[cnn],inference.images={mnist}",
    }
    for stage in _STAGES:
        seconds, memory = _run(project, "--pipelines", stage, "--params", parameters[stage])
        yield {"digits": count, "stage": stage, "seconds": seconds, "peak_gib": memory / _GIB}
    for layer in ("01_raw/mnist.hdf5", "05_model_input", "07_model_output"):
        shutil.rmtree(project / "data" / layer)


def _run(project: Path, *arguments: str) -> tuple[float, int]:
    """Run Kedro; return the time in seconds and the peak memory of all processes in bytes."""
    start, most = time.perf_counter(), 0
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "kedro", "run", *arguments],
            cwd=project,
            env={**os.environ, "PYTHONPATH": str(project / "src"), "DO_NOT_TRACK": "1"},
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        tree = psutil.Process(process.pid)
        while process.poll() is None:
            most = max(most, _memory(tree))
            time.sleep(_SECONDS)
        if process.returncode:
            log.seek(0)
            sys.exit(log.read().decode())
    return time.perf_counter() - start, most


def _memory(tree: psutil.Process) -> int:
    """Return the resident memory of a process and its children in bytes."""
    found = 0
    try:
        for process in (tree, *tree.children(recursive=True)):
            found += process.memory_info().rss
    except psutil.NoSuchProcess:  # The process has ended.
        pass
    return found


def write(folder: Path, measured: pd.DataFrame) -> None:
    """Write ``scale.md`` and ``scale.png``."""
    table = summarize(measured)
    machine = (
        f"{datetime.now(tz=UTC):%Y-%m-%d}, {processor()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}"
    )
    totals = table.loc["all"]
    first, last = totals.iloc[0], totals.iloc[-1]
    few, many = totals.index[0], totals.index[-1]
    whole = last.seconds / many / (first.seconds / few)
    lines = [f"| | {' | '.join(f'{count:,} digits' for count in totals.index)} |"]
    lines.append(f"|---|{'---|' * len(totals)}")
    for stage in (*_STAGES, "all"):
        cells = [
            f"{row.seconds:,.1f} s ({row.microseconds:.1f}), {row.peak_gib:.2f} GiB"
            for _, row in table.loc[stage].iterrows()
        ]
        lines.append(f"| {'**all**' if stage == 'all' else stage} | {' | '.join(cells)} |")
    text = (
        "# More digits than memory holds\n\n"
        "All pipelines ran on digits generated from MNIST (`benchmarks/generate.py`), one after "
        "the other: `ingestion`, `data_processing`, `training` (one epoch of the CNN), "
        "`reporting`, and `inference` on all digits. Each cell has the time of the complete "
        "command and, in parentheses, the time per digit in microseconds without the fixed cost "
        f"of a run (the time of a run with {_START:,} digits). Memory is the peak of all processes "
        "of a command together.\n"
        f"{machine}; created by `python -m benchmarks.scale`.\n\n" + "\n".join(lines) + "\n\n"
        f"With {many:,} digits, the time per digit is "
        f"**{last.microseconds / first.microseconds:.2f}** times that with {few:,} digits; "
        f"including the fixed cost of a run, it is {whole:.2f} times.\n\n"
        "![Memory and time per digit against the number of digits](scale.png)\n"
    )
    (folder / "scale.md").write_text(text)
    plot_scale(table, machine).savefig(folder / "scale.png")
    print(text)


def summarize(measured: pd.DataFrame) -> pd.DataFrame:
    """Compute medians by stage and number of digits, and for ``all`` stages together.

    Columns: ``seconds``, ``peak_gib``, and ``microseconds`` per digit without the fixed cost.
    """
    medians = measured.groupby(["stage", "digits"], sort=False).median()
    together = medians.groupby(level="digits", sort=False).agg(
        {"seconds": "sum", "peak_gib": "max"}
    )
    medians = pd.concat([medians, pd.concat({"all": together}, names=["stage"])])
    start = medians.xs(_START, level="digits")["seconds"]
    rest = medians[medians.index.get_level_values("digits") != _START].copy()
    stages, digits = (rest.index.get_level_values(i) for i in (0, 1))
    rest["microseconds"] = 1e6 * (rest["seconds"] - start[stages].to_numpy()) / (digits - _START)
    return rest


@styled
def plot_scale(table: pd.DataFrame, machine: str) -> Figure:
    """Plot the peak memory, and the time per digit by stage, against the number of digits."""
    figure = create_figure(5.4)
    memory, times = figure.subplots(2, 1)
    totals = table.loc["all"]
    digits = [
        f"{count / 1e6:g} M" if count >= 1e6 else f"{count / 1e3:g} k" for count in totals.index
    ]
    pixels = [count * 784 / _GIB for count in totals.index]
    memory.bar(digits, totals["peak_gib"], color=BLUE, width=0.6)
    memory.plot(digits, pixels, "o", color=ORANGE)
    memory.annotate(
        "size of the pixels",
        (len(digits) - 1, pixels[-1]),
        (-8, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        color=ORANGE,
    )
    memory.set(ylabel="Peak memory, GiB", ylim=(0, 1.12 * max(*pixels, *totals["peak_gib"])))
    for bar, value in enumerate(totals["peak_gib"]):
        memory.annotate(
            f"{value:.2f}", (bar, value), (0, 3), textcoords="offset points", ha="center"
        )
    stages = table.reset_index().pivot_table("microseconds", index="digits", columns="stage")
    stages[list(_STAGES)].plot.bar(ax=times, stacked=True, color=[*PALETTE], width=0.6)
    times.set_xticks(range(len(digits)), digits, rotation=0)
    times.set(
        ylabel="Microseconds per digit",
        xlabel="",
    )
    for axes in (memory, times):
        axes.grid(visible=False, axis="x")
    add_legend(times)
    annotate(
        figure,
        "Many digits need little more memory, and nearly the same time per digit",
        "Ingestion, data processing, one epoch of training, reporting, inference on all digits.",
        machine,
    )
    return figure


if __name__ == "__main__":
    main()
