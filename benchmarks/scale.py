"""What more digits cost: memory, and time for each of them, from ingestion to scoring.

    python -m benchmarks.scale

Generates digits from MNIST (``benchmarks/generate.py``), takes them through every pipeline by
``kedro run``, and writes ``scale.csv``, ``scale.md`` and ``scale.png`` to ``benchmarks/results``.
Needs a quiet machine and some 2 kB of disk for each digit; 8.1 million take half an hour.
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
_START = 7_000  # digits that take hardly any time by themselves: what every run costs
_REFERENCE = 70_000
_SECONDS = 0.05  # between two looks at the memory
_STAGES = ("ingestion", "data_processing", "training", "reporting", "inference")
_GIB = 2**30


def main() -> None:
    """Every number of digits in its turn; those that are quick several times."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--mnist", default="auto", help="as the parameter ingestion.source")
    parser.add_argument("--digits", type=int, nargs="+", default=[_REFERENCE, 700_000, 8_100_000])
    parser.add_argument("--times", type=int, default=3, help="up to 100,000 digits")
    parser.add_argument("--folder", type=Path, help="for the data; a temporary one by default")
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
    """The seconds of ``kedro run``, and the most memory of its processes together, in bytes."""
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
    """Resident bytes of a process and all that it started."""
    found = 0
    try:
        for process in (tree, *tree.children(recursive=True)):
            found += process.memory_info().rss
    except psutil.NoSuchProcess:  # it ended meanwhile
        pass
    return found


def write(folder: Path, measured: pd.DataFrame) -> None:
    """``scale.md`` and ``scale.png`` of what was measured."""
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
        "Digits generated from MNIST (`benchmarks/generate.py`) through all pipelines, one after "
        "the other: `ingestion`, `data_processing`, `training` (one epoch of the CNN), "
        "`reporting`, and "
        "`inference` on all of them. Memory is the most that the processes of a command had "
        "together. Times are of whole commands, from their start to their end; in parentheses, in "
        f"microseconds, for a digit: less what a run of {_START:,} digits takes.\n"
        f"{machine}; made by `python -m benchmarks.scale`.\n\n" + "\n".join(lines) + "\n\n"
        f"One of {many:,} digits takes **{last.microseconds / first.microseconds:.2f}** of the "
        f"time of one of {few:,}, or {whole:.2f} with what a run costs by itself.\n\n"
        "![Memory and time for a digit against the number of digits](scale.png)\n"
    )
    (folder / "scale.md").write_text(text)
    plot_scale(table, machine).savefig(folder / "scale.png")
    print(text)


def summarize(measured: pd.DataFrame) -> pd.DataFrame:
    """Medians by stage and number of digits, and ``all`` stages together.

    Columns: ``seconds``, ``peak_gib``, and ``microseconds`` for a digit without a run's own cost.
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
    """Peak memory, and time for a digit by stage, against the number of digits."""
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
        "the digits' pixels",
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
        ylabel="Microseconds for a digit",
        xlabel="",
    )
    for axes in (memory, times):
        axes.grid(visible=False, axis="x")
    add_legend(times)
    annotate(
        figure,
        "Many digits need little more memory, and each as much time as one of few",
        "From ingestion to one epoch of training, reports, and scoring of all digits.",
        machine,
    )
    return figure


if __name__ == "__main__":
    main()
