"""Follow what a result was made from, so that results are only combined if they belong together.

A *lineage* has a short digest under each name that it depends on: ``data`` (the ingested MNIST),
``split`` (its division into training and validation digits), and each model, such as ``cnn``.
Results belong together if none of these names has two digests.
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

KEY = "lineage"  # of mappings, the column of tables, and the attribute of figures
RECORD = "training_record"  # the attribute of Keras models, and the key in what is made from them
RECORD_FILE = "training_record.json"  # in the files of models; what else reads them ignores it

_MARK = "checks_lineage"  # an attribute of functions
_DIGITS = 12  # hexadecimal; among a million digests, two are equal with a probability of 0.2%
_REMEDY = (
    "name a model with --load-versions, such as cnn.model:VERSION, which takes all that belongs to "
    "it along; or run 'kedro run' again"
)

Lineage = Mapping[str, str]
_P = ParamSpec("_P")
_T = TypeVar("_T")


class TrainingRecord(TypedDict):
    """How a model was trained; saved with the model, and with all that it is exported to."""

    model: str  # its name, such as cnn
    sha256_weights: str
    lineage: Lineage
    data: Provenance
    training_digits: int
    validation_accuracy: float  # after the last epoch
    seed: int
    epochs: int
    parameters: Mapping[str, Any]  # of the training and of the network
    run: Mapping[str, Any]  # that trained it: id, code, packages and machine
    taught: NotRequired[Mapping[str, Any]]  # from which network, and by which corrections


def short_digest(*parts: bytes | str) -> str:
    """Return the first 12 hexadecimal digits of the SHA-256 of all parts."""
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

    It is empty for anything else, such as parameters, and if the lineage is unknown because an
    earlier version of this project made the value.
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
    """Return the training record of a Keras model; None if it is unknown."""
    return getattr(model, RECORD, None)


def join_lineages(lineages: Mapping[str, Lineage]) -> dict[str, str]:
    """Join the lineages of several values, by the names of the values.

    Raises:
        InputError: if the values do not belong together; names two of them and what differs.
    """
    joined: dict[str, str] = {}
    origins: dict[str, str] = {}  # which value each digest comes from
    for name, lineage in lineages.items():
        for key, digest in lineage.items():
            if joined.setdefault(key, digest) != digest:
                raise InputError(
                    f"'{name}' does not belong to '{origins[key]}': {describe(key)} is {digest}, "
                    f"but {joined[key]} there; {_REMEDY}."
                )
            origins.setdefault(key, name)
    return joined


def describe(key: str) -> str:
    """Return what a key of a lineage stands for, for a message."""
    return {"data": "the ingested MNIST", "split": "the split"}.get(key, f"the model '{key}'")


def with_lineage(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Let a node check that its inputs belong together, and add their lineage to its results.

    The results are a mapping, a table or a figure, or a tuple of these; others, such as a mapping
    of files, stay unchanged.
    The lineage of a table is in the first row of a column, so that it takes one byte in the others.

    The function raises InputError if its inputs do not belong together.
    """
    parameters = [*inspect.signature(function).parameters]

    @wraps(function)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        inputs = {**dict(zip(parameters, args, strict=False)), **kwargs}
        lineage = join_lineages({name: lineage_of(value) for name, value in inputs.items()})
        return _add(function(*args, **kwargs), lineage)

    return mark_as_checking(run)


def mark_as_checking(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Say of a node's function that all its inputs must have a lineage, for :func:`is_checking`."""
    function.__dict__[_MARK] = True
    return function


def is_checking(function: Callable[..., Any]) -> bool:
    """Return whether a node's function checks that its inputs belong together."""
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
        name: of the model.
        history: of the training.
        lineage: of the digits.
        parameters: of the training and of the network.
        run: the description of the run.
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
