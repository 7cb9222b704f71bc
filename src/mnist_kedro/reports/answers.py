"""What a reader asks about a model, answered from the metrics in plain words."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from mnist_kedro.contracts import GIVEN
from mnist_kedro.plots.style import call, decapitalise

_SEVERITY = 3
_SURE = 0.99


class Answer(NamedTuple):
    """One question and its answer, in whole sentences."""

    question: str
    sentences: Sequence[str]


def answer_questions(
    metrics: Mapping[str, Any], corruptions: pd.DataFrame, confidences: pd.DataFrame
) -> list[Answer]:
    """The questions of a reader who sees a model for the first time.

    Args:
        metrics: as in ``metrics.json``; its first model is the one that is asked about.
        corruptions: as ``corruption_accuracies``.
        confidences: as ``out_of_distribution_confidences``.
    """
    return [
        Answer("How good is it?", _how_good(metrics)),
        Answer("How sure is that?", _how_sure(metrics)),
        Answer("On what data?", _on_what(metrics["data"])),
        Answer("Against what?", _against_what(metrics)),
        Answer("Where does it fail?", _where_it_fails(metrics, corruptions, confidences)),
    ]


def first_model(metrics: Mapping[str, Any]) -> str:
    """The model that a report is about."""
    return next(iter(metrics["models"]))


def percent(share: float, digits: int = 2) -> str:
    """A share in 0–1 as text."""
    return f"{share:.{digits}%}"


def interval(bounds: Sequence[float], digits: int = 2) -> str:
    """Two shares as text."""
    low, high = bounds
    return f"{100 * low:.{digits}f}–{100 * high:.{digits}f}%"


def _how_good(metrics: Mapping[str, Any]) -> list[str]:
    name = first_model(metrics)
    model = metrics["models"][name]
    sentences = [
        (
            f"{call(name)} reads {percent(model['accuracy'])} of {metrics['data']['test']:,} test "
            f"digits right and {model['errors']} wrong."
        )
    ]
    if "without_label_errors" in model:
        rest = model["without_label_errors"]
        sentences.append(
            f"{rest['excluded']} of these digits are known to be labelled wrong; of all others it "
            f"reads {percent(rest['accuracy'])} right."
        )
    rejection = model["rejection"]
    if rejection["accuracy"] is not None:
        sentences.append(
            f"Where it may leave the digits it is unsure of to a person, it reads "
            f"{percent(rejection['coverage'], 1)} of them by itself, "
            f"{percent(rejection['accuracy'])} of those right."
        )
    return sentences


def _how_sure(metrics: Mapping[str, Any]) -> list[str]:
    name = first_model(metrics)
    model = metrics["models"][name]
    sentences = [
        (
            f"Of all digits of this kind it would read {interval(model['accuracy_ci95'])} right, "
            "with 95% confidence (Wilson's interval)."
        )
    ]
    ensemble = metrics["models"].get(f"{name}_ensemble")
    if ensemble is None:
        sentences.append(
            f"It is one training, with seed {model['seed']}; training.members trains it with more."
        )
    else:
        members = ensemble["members"]
        sentences.append(
            f"Trained with {len(members['seeds'])} seeds it reads "
            f"{percent(members['mean_accuracy'])} ± {percent(members['standard_deviation'])} (mean "
            "and standard deviation)."
        )
    return [
        *sentences,
        "The run chose nothing by the test digits: not the training's length, not a threshold.",
    ]


def _on_what(data: Mapping[str, Any]) -> list[str]:
    if data["canonical_mnist"]:
        what = "MNIST, byte for byte the known 60,000 training and 10,000 test digits."
    else:
        what = f"{data['description']}. These are not MNIST's numbers."
    held_out = "" if data["test_split"] == GIVEN else f" The test digits were {data['test_split']}."
    return [
        what + held_out,
        (
            f"{data['train']:,} digits were trained on, {data['validation']:,} watched, "
            f"{data['test']:,} tested on."
        ),
    ]


def _against_what(metrics: Mapping[str, Any]) -> list[str]:
    name = first_model(metrics)
    sentences = []
    for pair, comparison in metrics["comparison"].items():
        first, _, other = pair.partition("_vs_")
        if first != name:
            continue
        points = 100 * comparison["accuracy_difference"]
        low, high = (100 * bound for bound in comparison["accuracy_difference_ci95"])
        sentences.append(
            f"{call(other)} reads {percent(metrics['models'][other]['accuracy'])}: the difference "
            f"of {points:.2f} points lies between {low:.2f} and {high:.2f} with 95% confidence "
            f"(McNemar's p {_p_value(comparison['mcnemar_p'])})."
        )
    return sentences or ["Nothing: it was trained alone. training.models names more networks."]


def _where_it_fails(
    metrics: Mapping[str, Any], corruptions: pd.DataFrame, confidences: pd.DataFrame
) -> list[str]:
    name = first_model(metrics)
    sentences = []
    for top in metrics["models"][name]["top_confusions"][:1]:
        times = "once" if top["count"] == 1 else f"{top['count']} times"
        sentences.append(
            f"Most often it takes a {top['label']} for a {top['prediction']}, {times}."
        )
    own = corruptions[(corruptions["model"] == name) & (corruptions["severity"] == _SEVERITY)]
    hardest = own.sort_values("accuracy").iloc[0]
    sentences.append(
        f"Of digits corrupted at severity {_SEVERITY} of 5 it reads "
        f"{percent(own['accuracy'].mean(), 1)}, under the hardest corruption "
        f"({hardest['corruption'].replace('_', ' ')}) {percent(hardest['accuracy'], 1)}."
    )
    sure = (
        confidences[(confidences["model"] == name) & (confidences["kind"] != "digits")]
        .groupby("kind", sort=False)["confidence"]
        .agg(lambda values: (values > _SURE).mean())
    )
    sentences.append(
        f"It does not know what is no digit: {decapitalise(call(name))} is over "
        f"{percent(_SURE, 0)} sure of {percent(sure.max(), 0)} of the {sure.idxmax()} pictures."
        if sure.max() > 0.01
        else f"It is over {percent(_SURE, 0)} sure of hardly any picture that is no digit."
    )
    return sentences


def _p_value(p: float) -> str:
    return "below 0.001" if p < 0.001 else f"{p:.3f}"
