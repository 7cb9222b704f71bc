"""Answer what readers ask about a model, in sentences made from the metrics."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from mnist_kedro.contracts import GIVEN
from mnist_kedro.plots.style import model_in_sentence, model_title

_SEVERITY = 3
_HIGH_CONFIDENCE = 0.99


class Answer(NamedTuple):
    """A question and its answer in whole sentences."""

    question: str
    sentences: Sequence[str]


def answer_questions(
    metrics: Mapping[str, Any], corruptions: pd.DataFrame, confidences: pd.DataFrame
) -> list[Answer]:
    """Answer the questions of a reader who sees a model for the first time.

    Args:
        metrics: the content of ``metrics.json``; the answers are about its first model.
        corruptions: the table ``corruption_accuracies``.
        confidences: the table ``out_of_distribution_confidences``.
    """
    return [
        Answer("How good is it?", _describe_accuracy(metrics)),
        Answer("How certain is that?", _describe_uncertainty(metrics)),
        Answer("Which data was used?", _describe_data(metrics["data"])),
        Answer("How does it compare?", _compare_models(metrics)),
        Answer("Where does it fail?", _describe_failures(metrics, corruptions, confidences)),
    ]


def first_model(metrics: Mapping[str, Any]) -> str:
    """Return the name of the model that a report is about."""
    return next(iter(metrics["models"]))


def percent(share: float, digits: int = 2) -> str:
    """Format a share in 0–1 as a percentage."""
    return f"{share:.{digits}%}"


def interval(bounds: Sequence[float], digits: int = 2) -> str:
    """Format two shares in 0–1 as an interval of percentages."""
    low, high = bounds
    return f"{100 * low:.{digits}f}–{100 * high:.{digits}f}%"


def _describe_accuracy(metrics: Mapping[str, Any]) -> list[str]:
    name = first_model(metrics)
    model = metrics["models"][name]
    sentences = [
        (
            f"{model_title(name)} classifies {percent(model['accuracy'])} of "
            f"{metrics['data']['test']:,} test digits correctly and {model['errors']} incorrectly."
        )
    ]
    if "without_label_errors" in model:
        others = model["without_label_errors"]
        sentences.append(
            f"{others['excluded']} of these digits are known to be mislabeled; of the others it "
            f"classifies {percent(others['accuracy'])} correctly."
        )
    rejection = model["rejection"]
    if rejection["accuracy"] is not None:
        sentences.append(
            f"With a reject option it classifies {percent(rejection['coverage'], 1)} of the digits "
            f"automatically, {percent(rejection['accuracy'])} of them correctly."
        )
    return sentences


def _describe_uncertainty(metrics: Mapping[str, Any]) -> list[str]:
    name = first_model(metrics)
    model = metrics["models"][name]
    sentences = [
        f"Its accuracy has the 95% confidence interval {interval(model['accuracy_ci95'])} (Wilson)."
    ]
    ensemble = metrics["models"].get(f"{name}_ensemble")
    if ensemble is None:
        sentences.append(
            f"It was trained once, with seed {model['seed']}; training.members sets the number of "
            "trainings with different seeds."
        )
    else:
        members = ensemble["members"]
        sentences.append(
            f"Trained with {len(members['seeds'])} seeds, it has an accuracy of "
            f"{percent(members['mean_accuracy'])} ± {percent(members['standard_deviation'])} (mean "
            "and standard deviation)."
        )
    return [
        *sentences,
        "No hyperparameter was tuned on the test set, not the number of epochs, not a threshold.",
    ]


def _describe_data(data: Mapping[str, Any]) -> list[str]:
    if data["canonical_mnist"]:
        source = "MNIST, byte for byte the canonical 60,000 training and 10,000 test digits."
    else:
        source = f"{data['description']}. These are not MNIST's numbers."
    held_out = "" if data["test_split"] == GIVEN else f" The test digits were {data['test_split']}."
    return [
        source + held_out,
        (
            f"The splits have {data['train']:,} training, {data['validation']:,} validation and "
            f"{data['test']:,} test digits."
        ),
    ]


def _compare_models(metrics: Mapping[str, Any]) -> list[str]:
    name = first_model(metrics)
    sentences = []
    for pair, comparison in metrics["comparison"].items():
        first, _, other = pair.partition("_vs_")
        if first != name:
            continue
        points = 100 * comparison["accuracy_difference"]
        low, high = (100 * bound for bound in comparison["accuracy_difference_ci95"])
        sentences.append(
            f"{model_title(other)} classifies {percent(metrics['models'][other]['accuracy'])} "
            f"correctly: the difference of {points:.2f} percentage points has the 95% confidence "
            f"interval {low:.2f} to {high:.2f} (McNemar's {_p_value(comparison['mcnemar_p'])})."
        )
    return sentences or ["No other model was trained; training.models adds networks to compare."]


def _describe_failures(
    metrics: Mapping[str, Any], corruptions: pd.DataFrame, confidences: pd.DataFrame
) -> list[str]:
    name = first_model(metrics)
    sentences = []
    for top in metrics["models"][name]["top_confusions"][:1]:
        times = "once" if top["count"] == 1 else f"{top['count']} times"
        sentences.append(
            f"Its most frequent confusion is a {top['label']} classified as a {top['prediction']}, "
            f"{times}."
        )
    rows = corruptions[(corruptions["model"] == name) & (corruptions["severity"] == _SEVERITY)]
    hardest = rows.sort_values("accuracy").iloc[0]
    sentences.append(
        f"At corruption severity {_SEVERITY} of 5 it classifies "
        f"{percent(rows['accuracy'].mean(), 1)} correctly, under the hardest corruption "
        f"({hardest['corruption'].replace('_', ' ')}) {percent(hardest['accuracy'], 1)}."
    )
    confident = (
        confidences[(confidences["model"] == name) & (confidences["kind"] != "digits")]
        .groupby("kind", sort=False)["confidence"]
        .agg(lambda values: (values > _HIGH_CONFIDENCE).mean())
    )
    sentences.append(
        f"It does not detect non-digit images: {model_in_sentence(name)} is over "
        f"{percent(_HIGH_CONFIDENCE, 0)} sure of {percent(confident.max(), 0)} of the "
        f"{confident.idxmax()} images."
        if confident.max() > 0.01
        else f"It is over {percent(_HIGH_CONFIDENCE, 0)} sure of hardly any non-digit image."
    )
    return sentences


def _p_value(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
