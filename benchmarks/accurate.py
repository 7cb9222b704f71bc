"""Average the networks of ``kedro run --env accurate``: ``python -m benchmarks.accurate``.

``benchmarks/results/accurate/networks`` contains the evaluation, the log, and the probabilities of
the test digits, ``(10000, 10)`` float16, of each network. The networks may come from several runs:
``--params training.members=1,training.seed=4`` trains the fifth alone. Writes ``results.md``.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from benchmarks.this_project import parameters
from mnist_kedro.metrics.calibration import score_probabilities
from mnist_kedro.metrics.classification import classify_errors
from mnist_kedro.metrics.label_errors import classify_without_label_errors
from mnist_kedro.sources import read_mnist

_RESULTS = Path(__file__).parent / "results" / "accurate"


def main() -> None:
    """Write a table of the networks, the mean of their scores, and the ensemble."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accurate", description=__doc__)
    parser.add_argument("--mnist", default="auto", help="source of MNIST, as ingestion.source")
    source = parameters("accurate").ingestion.model_copy(
        update={"source": parser.parse_args().mnist}
    )
    labels = np.asarray(read_mnist(source)["y_test"], np.uint8)
    files = sorted((_RESULTS / "networks").glob("*.npz"))
    networks = [np.load(file)["probabilities"].astype(np.float64) for file in files]
    rows = [_scores(labels, probabilities) for probabilities in networks]
    evaluations = [json.loads(file.with_suffix(".json").read_text()) for file in files]
    if [row[0] for row in rows] != [100 * one["accuracy"] for one in evaluations]:
        raise SystemExit(f"Error: {_RESULTS}: an evaluation does not belong to its probabilities.")
    table = [
        [f"seed {one['seed']}", *row, f"{one['training_seconds'] / 60:.0f}"]
        for row, one in zip(rows, evaluations, strict=True)
    ]
    mean = np.mean(rows, axis=0)
    table += [["mean", *mean, ""], ["ensemble", *_scores(labels, np.mean(networks, axis=0)), ""]]
    text = "\n".join(
        f"| {name} | {accuracy:.3f} | {without:.3f} | {likelihood:.4f} | {error:.2f} | {minutes} |"
        for name, accuracy, without, likelihood, error, minutes in table
    )
    deviation = np.std(rows, axis=0, ddof=1)[0]
    (_RESULTS / "results.md").write_text(
        "# Accuracy of `--env accurate`\n\n"
        f"`kedro run --env accurate` on MNIST: {len(rows)} networks with "
        f"{evaluations[0]['parameters']:,} weights, after their last epoch, and their ensemble "
        "(the average of the probabilities). The standard deviation of the accuracies is "
        f"{deviation:.3f} points. The training times include pauses and other work of the "
        "machine.\n"
        "Created by `python -m benchmarks.accurate` from the files in [networks](networks).\n\n"
        "| network | test accuracy, % | without 15 mislabeled digits, % | "
        "negative log-likelihood | expected calibration error, % | training, minutes |\n"
        f"|---|---|---|---|---|---|\n{text}\n"
    )
    print((_RESULTS / "results.md").read_text())


def _scores(labels: np.ndarray, probabilities: np.ndarray) -> tuple[float, float, float, float]:
    """Return the accuracy with and without mislabeled digits (%), the NLL, and the ECE (%)."""
    predictions = probabilities.argmax(axis=1).astype(np.uint8)
    scores = score_probabilities(labels, probabilities)
    return (
        100 * classify_errors(labels, predictions)["accuracy"],
        100 * classify_without_label_errors(labels, predictions)["accuracy"],
        scores["negative_log_likelihood"],
        100 * scores["expected_calibration_error"],
    )


if __name__ == "__main__":
    main()
