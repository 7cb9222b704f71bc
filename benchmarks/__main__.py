"""Run the benchmarks and write their tables and figure: ``make bench``."""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmarks import summary
from benchmarks.commands import ROOT, configure, measure
from benchmarks.this_project import parameters
from mnist_kedro.errors import InputError
from mnist_kedro.sources import read_mnist

_KEYS = ("x_train", "y_train", "x_test", "y_test")
_PRINTED_ACCURACY = re.compile(r"test.acc\w*\W+([01]\.\d+)", re.IGNORECASE)


class Entry(NamedTuple):
    """A recipe to benchmark, with its settings."""

    label: str
    recipe: str
    epochs: int | None = None
    environment: str | None = None
    seeds: int | None = None  # at most so many; all by default


ENTRIES = (
    Entry("mnist_kedro quick", "this_project", environment="quick"),
    Entry("mnist_kedro, 2 epochs", "this_project", epochs=2),
    Entry("mnist_kedro, 5 epochs", "this_project", epochs=5),
    Entry("mnist_kedro base", "this_project", environment="base"),
    Entry("keras.io", "keras_io"),
    Entry("PyTorch, one epoch", "pytorch_one_epoch"),
    Entry("pytorch/examples", "pytorch_examples", seeds=1),  # One training takes ten minutes.
)


def main() -> None:
    """Run all trainings and complete runs, and write the results."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--mnist", default="auto", help="source of MNIST, as ingestion.source")
    parser.add_argument("--seeds", type=int, default=3, help="number of trainings per recipe")
    parser.add_argument(
        "--only", default="", help="regular expression of recipes to run, such as keras|quick"
    )
    parser.add_argument(
        "--runs", type=int, default=3, help="number of complete runs with and without Kedro"
    )
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        metavar="NAME=COMMAND",
        help="a project whose command trains on MNIST and prints its test accuracy; run once",
    )
    parser.add_argument("--epochs", type=int, help="epochs of every recipe, for a quick trial")
    parser.add_argument(
        "--torch-python",
        default=sys.executable,
        help="Python with torch, for the PyTorch recipes; without torch they are skipped",
    )
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _benchmark(arguments, Path(folder))


def _benchmark(arguments: argparse.Namespace, folder: Path) -> None:
    source = parameters("base").ingestion.model_copy(update={"source": arguments.mnist})
    try:
        mnist: Any = read_mnist(source)
    except InputError as error:
        sys.exit(f"Error: {error}")
    np.savez(folder / "digits.npz", **{key: mnist[key] for key in _KEYS})
    named = [entry for entry in ENTRIES if re.search(arguments.only, entry.label)]
    entries = [entry for entry in named if _can_run(entry, arguments.torch_python)]
    arguments.results.mkdir(parents=True, exist_ok=True)

    rounds = [
        (seed, entry)
        for seed in range(arguments.seeds)
        for entry in entries
        if seed < (entry.seeds or arguments.seeds)
    ]
    epochs, processes = [], []
    for seed, entry in (bar := tqdm(rounds, desc="trainings", disable=None)):
        bar.set_postfix_str(f"{entry.label}, seed {seed}")
        *lines, last = _train(entry, seed, folder / "digits.npz", arguments)
        epochs += [{"recipe": entry.label, "seed": seed, **line} for line in lines]
        processes.append({"recipe": entry.label, "seed": seed, **last})
        pd.DataFrame(epochs).to_csv(arguments.results / "training.csv", index=False)
    runs = pd.DataFrame(_whole_runs(mnist, folder, arguments))
    runs.to_csv(arguments.results / "whole_runs.csv", index=False)
    summary.write(
        arguments.results,
        summary.describe_machine(mnist),
        pd.DataFrame(epochs),
        pd.DataFrame(processes),
        runs,
    )


def _can_run(entry: Entry, torch_python: str) -> bool:
    if not entry.recipe.startswith("pytorch"):
        return True
    tried = subprocess.run([torch_python, "-c", "import torch"], capture_output=True, check=False)
    if tried.returncode:
        print(f"Skipped {entry.label}: {torch_python} has no torch (see --torch-python).")
    return not tried.returncode


def _train(
    entry: Entry, seed: int, digits: Path, arguments: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """Train in a worker process; yield the parsed lines of its output."""
    pytorch = entry.recipe.startswith("pytorch")
    command = [arguments.torch_python if pytorch else sys.executable, "-m", "benchmarks.worker"]
    command += [entry.recipe, str(digits), f"--seed={seed}", "--inference"]
    epochs = arguments.epochs or entry.epochs
    command += [f"--epochs={epochs}"] if epochs else []
    command += [f"--environment={entry.environment}"] if entry.environment else []
    worker = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, text=True)
    if worker.returncode:
        sys.exit(worker.stderr)
    yield from (json.loads(line) for line in worker.stdout.splitlines() if line.startswith("{"))


def _whole_runs(
    mnist: Any, folder: Path, arguments: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """Alternate between ``kedro run`` and the same steps without Kedro, from file to figures."""
    source = folder / "mnist.hdf5"
    with h5py.File(source, "w") as file:
        for key in _KEYS:
            file[key] = mnist[key]
    for number in tqdm(range(arguments.runs), desc="complete runs", disable=None):
        data, conf = folder / f"kedro_{number}", folder / f"conf_{number}"
        configure(conf, data)
        changes = [f"ingestion.source={source}", f"training.seed={number}"]
        changes += [f"training.epochs={arguments.epochs}"] if arguments.epochs else []
        kedro = ["-m", "kedro", "run", f"--conf-source={conf}", f"--params={','.join(changes)}"]
        yield {"run": number, "kind": "kedro run", **_time(kedro, data)}
        out = folder / f"bare_{number}"
        out.mkdir()
        bare = ["-m", "benchmarks.bare_run", str(source), str(out), f"--seed={number}"]
        bare += [f"--epochs={arguments.epochs}"] if arguments.epochs else []
        yield {"run": number, "kind": "bare script", **_time(bare, out)}
    for name, _, command in (peer.partition("=") for peer in arguments.peer):
        seconds, output = measure(["bash", "-c", command])
        accuracy = printed_accuracy(name, output)
        yield {"run": 0, "kind": name, "seconds": round(seconds, 2), "accuracy": accuracy}


def printed_accuracy(name: str, output: str) -> float:
    """Return the last test accuracy (0–1) in the output of a project.

    Raises:
        SystemExit: if the output has no test accuracy.
    """
    found = _PRINTED_ACCURACY.findall(output)
    if not found:
        sys.exit(f"Error: --peer {name}: its output has no line such as 'test accuracy: 0.99'.")
    return float(found[-1])


def _time(command: list[str], outputs: Path) -> dict[str, float]:
    """Measure the time and the training time of a run (seconds), and the first model's accuracy."""
    seconds, _ = measure([sys.executable, *command])
    (metrics,) = {path.resolve() for path in outputs.rglob("metrics.json") if path.is_file()}
    models = json.loads(metrics.read_text())["models"].values()
    return {
        "seconds": round(seconds, 2),
        "training_seconds": round(sum(model["training_seconds"] for model in models), 2),
        "accuracy": next(iter(models))["accuracy"],
    }


if __name__ == "__main__":
    main()
