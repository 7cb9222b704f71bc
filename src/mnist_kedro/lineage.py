"""Track the lineage of results, so that only matching results are combined.

The *lineage* of a result maps each thing that the result depends on to a short digest: ``data``
(the ingested MNIST), ``split`` (the division into training and validation digits), and each model,
such as ``cnn``. Results match, or *belong together*, if no key has two different digests.
"""

import hashlib
import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, NotRequired, ParamSpec, TypedDict, TypeVar

from mnist_kedro.contracts import Provenance
from mnist_kedro.digest import bytes_of
from mnist_kedro.errors import InputError

KEY = "lineage"  # key of mappings, column of tables, and attribute of figures
RECORD = "training_record"  # attribute of Keras models, and key of the results of models
RECORD_FILE = "training_record.json"  # added to .keras files; other programs ignore this file

_MARK = "checks_lineage"  # attribute of functions
_DIGITS = 12  # hexadecimal digits; P(a collision among a million digests) is 0.2%
_REMEDY = (
    "choose a model with --load-versions, such as cnn.model:VERSION, which also selects all "
    "matching inputs; or run 'kedro run' again"
)

Lineage = Mapping[str, str]
_P = ParamSpec("_P")
_T = TypeVar("_T")


class TrainingRecord(TypedDict):
    """A description of a model's training, saved with the model and with its exports."""

    model: str  # name of the model, such as cnn
    sha256_weights: str
    lineage: Lineage
    data: Provenance
    training_digits: int
    validation_accuracy: float  # after the last epoch
    seed: int
    epochs: int
    parameters: Mapping[str, Any]  # parameters of the training and of the network
    run: Mapping[str, Any]  # id, code, packages and machine of the run that trained the model
    taught: NotRequired[Mapping[str, Any]]  # if fine-tuned: parent network and corrections


def short_digest(*parts: bytes | str) -> str:
    """Return the first 12 hexadecimal digits of the SHA-256 of the concatenated parts."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() if isinstance(part, str) else part)
    return digest.hexdigest()[:_DIGITS]


def digest_weights(model: Any) -> str:
    """Return the SHA-256 of a Keras model's weights, which identifies the model."""
    digest = hashlib.sha256()
    for weights in model.get_weights():
        digest.update(bytes_of(weights))
    return digest.hexdigest()


def lineage_of(value: Any) -> Lineage:
    """Return the lineage of digits, a Keras model, a mapping, a table or a figure.

    The lineage is empty for other values, such as parameters, and for values without a lineage,
    which an earlier release of this project saved.
    """
    if _is_table(value):
        texts = value[KEY].dropna().unique() if KEY in value else []
        return dict(part.rpartition(":")[::2] for text in texts for part in text.split())
    if not isinstance(value, Mapping):
        record = record_of(value)
        return record["lineage"] if record else getattr(value, KEY, {})
    if KEY in value:
        return value[KEY]
    digests = [key for key in Provenance.__annotations__ if key.startswith("sha256")]
    if not value.keys() >= set(digests):
        return {}
    split = {"split": value["split"]} if "split" in value else {}
    return {"data": short_digest(*(value[key] for key in digests)), **split}


def record_of(model: Any) -> TrainingRecord | None:
    """Return the training record of a Keras model; None if the model has no record."""
    return getattr(model, RECORD, None)


def join_lineages(lineages: Mapping[str, Lineage]) -> dict[str, str]:
    """Merge the lineages of several values, given by the names of the values.

    Raises:
        InputError: if two values do not match; the message names both and the difference.
    """
    joined: dict[str, str] = {}
    origins: dict[str, str] = {}  # name of the value that each digest comes from
    for name, lineage in lineages.items():
        for key, digest in lineage.items():
            if joined.setdefault(key, digest) != digest:
                raise InputError(
                    f"'{name}' does not match '{origins[key]}': {describe(key)} is {digest} "
                    f"instead of {joined[key]}; {_REMEDY}."
                )
            origins.setdefault(key, name)
    return joined


def describe(key: str) -> str:
    """Describe a key of a lineage, for an error message."""
    return {"data": "the ingested MNIST", "split": "the split"}.get(key, f"the model '{key}'")


def with_lineage(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Decorate a node's function: check that its inputs match, and add the lineage to its results.

    The lineage is added to a mapping, a table, a figure, or each item of a tuple; other results,
    such as a mapping of files, stay unchanged. In a table, the lineage is in the first row of a
    column; in a CSV file it thus adds only one byte to each other row.

    The decorated function raises InputError if its inputs do not match.
    """
    parameters = [*inspect.signature(function).parameters]

    @wraps(function)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        inputs = {**dict(zip(parameters, args, strict=False)), **kwargs}
        lineage = join_lineages({name: lineage_of(value) for name, value in inputs.items()})
        return _add(function(*args, **kwargs), lineage)

    return mark_as_checking(run)


def mark_as_checking(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Mark a node's function, so that :func:`is_checking` returns true."""
    function.__dict__[_MARK] = True
    return function


def is_checking(function: Callable[..., Any]) -> bool:
    """Return whether a node's function checks that its inputs match."""
    return _MARK in function.__dict__


def _add(result: Any, lineage: Lineage) -> Any:
    if isinstance(result, tuple):
        return tuple(_add(part, lineage) for part in result)
    if _is_table(result):
        return result.assign(**{KEY: _first_row(lineage, len(result))})
    files = isinstance(result, Mapping) and bytes in map(type, result.values())
    if isinstance(result, Mapping) and not files:
        return {**result, KEY: {**lineage, **lineage_of(result)}}
    if hasattr(result, "savefig"):  # a figure; Matplotlib is slow to import
        setattr(result, KEY, lineage)
    return result


def _is_table(value: Any) -> bool:
    return hasattr(value, "iloc")  # pandas is slow to import


def _first_row(lineage: Lineage, rows: int) -> Iterable[str | None]:
    text = " ".join(f"{key}:{digest}" for key, digest in lineage.items())
    return [text, *[None] * (rows - 1)][:rows]


def record_training(
    model: Any,
    name: str,
    history: Mapping[str, Any],
    lineage: Lineage,
    parameters: Mapping[str, Any],
    run: Mapping[str, Any],
) -> TrainingRecord:
    """Describe how a model was trained.

    Args:
        model: the trained Keras model.
        name: name of the model.
        history: training history, with a value per epoch for each metric.
        lineage: lineage of the training and validation digits.
        parameters: parameters of the training and of the network.
        run: description of the run (the dataset ``run``).
    """
    weights = digest_weights(model)
    return TrainingRecord(
        model=name,
        sha256_weights=weights,
        lineage={**lineage, name: weights[:_DIGITS]},
        data=history["data"],
        training_digits=history["training_digits"],
        validation_accuracy=history["validation_accuracy"][-1],
        seed=history["seed"],
        epochs=history["epochs"],
        parameters=json.loads(json.dumps(parameters)),
        run={key: run[key] for key in run if key not in ("parameters", "served")},
    )
