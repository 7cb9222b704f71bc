"""Write the tables and the figure of the main benchmarks."""

import datetime as dt
import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, LogLocator, NullFormatter

from mnist_kedro.machine import processor
from mnist_kedro.plots.style import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    add_legend,
    annotate,
    create_figure,
    styled,
)

_OURS = "mnist_kedro"
_GOALS = (0.990, 0.995)


def write(
    folder: Path, machine: str, epochs: pd.DataFrame, processes: pd.DataFrame, runs: pd.DataFrame
) -> None:
    """Write ``results.md`` and ``results.png``, and print ``results.md``."""
    text = "\n".join(
        [
            f"# Benchmarks\n\n{machine}\n",
            "## Training\n",
            training_table(epochs, processes),
            "",
            "![Test accuracy against training time](results.png)\n",
            "## Inference\n",
            inference_table(processes),
            "",
        ]
    )
    if not runs.empty:
        text += f"\n## A complete run with and without Kedro\n\n{runs_table(runs)}\n"
    (folder / "results.md").write_text(text)
    plot_training(epochs, machine).savefig(folder / "results.png")
    print(text)


def describe_machine(mnist: Any) -> str:
    """Describe the date, the machine, the package versions and the digits."""
    names = ("tensorflow", "keras", "kedro", "numpy")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    digits = "MNIST" if mnist["canonical_mnist"] else "not MNIST: " + mnist["source"]
    return (
        f"{dt.datetime.now(tz=dt.UTC):%Y-%m-%d}, {processor()}, {os.cpu_count()} cores; "
        f"Python {platform.python_version()}, {versions}. "
        f"{digits}, {len(mnist['y_train']):,} + {len(mnist['y_test']):,} digits."
    )


def curves(epochs: pd.DataFrame) -> pd.DataFrame:
    """Average over the seeds; columns ``recipe``, ``epoch``, ``seconds`` and ``accuracy``."""
    means = epochs.groupby(["recipe", "epoch"], sort=False)[["seconds", "accuracy"]].mean()
    return means.reset_index()


def seconds_to(epochs: pd.DataFrame, goal: float) -> dict[str, float]:
    """Return, for each recipe, the seconds until the mean accuracy over the seeds is at a goal."""
    means = curves(epochs)
    reached = means[means["accuracy"] >= goal]
    first = reached.groupby("recipe")["seconds"].min()
    return {recipe: float(first.get(recipe, np.nan)) for recipe in epochs["recipe"].unique()}


def accuracy_after(epochs: pd.DataFrame, seconds: float) -> dict[str, float]:
    """Return, for each recipe, the mean accuracy after the last epoch that ended in time."""
    means = curves(epochs)
    last = means[means["seconds"] <= seconds].groupby("recipe")["accuracy"].last()
    return {recipe: float(last.get(recipe, np.nan)) for recipe in epochs["recipe"].unique()}


def training_table(epochs: pd.DataFrame, processes: pd.DataFrame) -> str:
    """Format a row per recipe; ratios are relative to this project's fastest recipe."""
    last = epochs.sort_values("epoch").groupby(["recipe", "seed"], sort=False).tail(1)
    finals = last.groupby("recipe")
    reached = {goal: seconds_to(epochs, goal) for goal in _GOALS}
    ours = {
        goal: np.nanmin([s for name, s in of.items() if name.startswith(_OURS)] + [np.inf])
        for goal, of in reached.items()
    }
    rows = []
    for recipe in epochs["recipe"].unique():
        final = finals.get_group(recipe)
        accuracy = 100 * final["accuracy"]
        spread = f" ± {accuracy.std():.2f}" if len(final) > 1 else ""
        row = [
            recipe,
            f"{len(final)}",
            f"{final['epoch'].iloc[0]}",
            f"{final['seconds'].mean():.1f}",
            f"{accuracy.mean():.2f}{spread}",
        ]
        for goal in _GOALS:
            seconds = reached[goal][recipe]
            ratio = f" ({seconds / ours[goal]:.1f} ×)" if np.isfinite(ours[goal]) else ""
            row.append("not reached" if np.isnan(seconds) else f"{seconds:.1f}{ratio}")
        memory = processes.loc[processes["recipe"] == recipe, "peak_memory_mib"].max()
        rows.append([*row, f"{memory / 1024:.1f}"])
    headings = ["recipe", "seeds", "epochs", "training, seconds", "test accuracy, %"]
    headings += [*(f"seconds to {goal:.1%}" for goal in _GOALS), "peak memory, GiB"]
    note = (
        "The accuracy is that after the last epoch: mean ± standard deviation over the seeds. The "
        "ratio in brackets is relative to this project's fastest recipe. An accuracy is reached "
        "when the mean over the seeds reaches it."
    )
    return f"{_markdown(headings, rows)}\n\n{note} {_in_epochs_of_keras_io(epochs)}".rstrip()


def _in_epochs_of_keras_io(epochs: pd.DataFrame) -> str:
    """Express the training time of the base recipe in epochs of keras.io, on the same machine."""
    last = {of["recipe"]: of for of in curves(epochs).to_dict("records")}
    if not {f"{_OURS} base", "keras.io"} <= set(last):
        return ""
    ours, keras_io = last[f"{_OURS} base"], last["keras.io"]
    ratio = ours["seconds"] / (keras_io["seconds"] / keras_io["epoch"])
    return f"{_OURS} base takes as long as {ratio:.1f} epochs of keras.io."


def inference_table(processes: pd.DataFrame) -> str:
    """Format the throughput and latency per model, from raw pixels to the digit."""
    rows = [
        [
            str(recipe),
            f"{of['digits_per_second'].median():,.0f}",
            f"{of['milliseconds_for_one'].median():.2f}",
        ]
        for recipe, of in processes.groupby("recipe", sort=False)
        if "epochs" not in str(recipe)
    ]
    return _markdown(["model", "digits per second", "milliseconds for one digit"], rows)


def runs_table(runs: pd.DataFrame) -> str:
    """Format the medians of complete runs, and Kedro's overhead outside of training.

    Training runs the same code with and without Kedro, and takes most of the time: its noise would
    hide the difference.
    """
    names = ["seconds", "training_seconds", "rest", "accuracy"]
    rest = runs["seconds"] - runs["training_seconds"]
    medians = runs.assign(rest=rest).groupby("kind", sort=False)[names].median()
    medians["accuracy"] *= 100
    rows = [
        [str(kind), *(_one_decimal(of[name]) for name in names[:-1]), f"{of['accuracy']:.2f}"]
        for kind, of in medians.iterrows()
    ]
    (kedro,), (bare,) = (
        medians.loc[[kind]].to_dict("records") for kind in ("kedro run", "bare script")
    )
    added = kedro["rest"] - bare["rest"]
    headings = ["", "seconds", "training, seconds", "rest, seconds", "test accuracy, %"]
    others = (
        " The other projects ran once, and use their own test split of the 70,000 digits."
        if len(medians) > 2
        else ""
    )
    return (
        f"{_markdown(headings, rows)}\n\n"
        f"Medians of {runs['run'].nunique()} runs each. Kedro's overhead is {added:.1f} s "
        f"({added / bare['seconds']:.1%}).{others}"
    )


def _one_decimal(number: float) -> str:
    return "" if np.isnan(number) else f"{number:.1f}"


def _markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


@styled
def plot_training(epochs: pd.DataFrame, machine: str) -> Figure:
    """Plot test accuracy against training time: a curve per recipe, and one for this project."""
    figure = create_figure(3.6)
    axes = figure.add_subplot()
    means = curves(epochs)
    ours = means["recipe"].str.startswith(_OURS)
    lasts = means[ours].groupby("recipe", sort=False).tail(1).sort_values("seconds")
    groups = [("mnist_kedro", lasts), *means[~ours].groupby("recipe", sort=False)]
    for (name, curve), colour in zip(groups, (BLUE, ORANGE, GREEN, PURPLE), strict=False):
        marker = "o" if name == "mnist_kedro" else "."
        axes.plot(curve["seconds"], 1 - curve["accuracy"], marker=marker, color=colour, label=name)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.invert_yaxis()
    wrong = [0.05, 0.03, 0.02, 0.015, 0.01, 0.007, 0.005, 0.004]
    axes.yaxis.set_major_locator(FixedLocator(wrong))
    axes.yaxis.set_major_formatter(lambda value, _: f"{1 - value:.1%}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_ylim(0.05, None)
    axes.set_xlabel("Training time, seconds")
    axes.set_ylabel("Test accuracy")
    add_legend(axes)
    best = lasts.iloc[-1]
    others = epochs[~epochs["recipe"].str.startswith(_OURS)]
    then = accuracy_after(others, best["seconds"])
    annotate(
        figure,
        f"After {best['seconds']:.0f} seconds: mnist_kedro {100 * best['accuracy']:.2f}%, "
        f"the others at most {100 * np.nanmax([*then.values(), 0]):.2f}%",
        "Means over the seeds. Each point of mnist_kedro is a separate training; each point of the "
        "others is an epoch.",
        machine,
    )
    return figure
