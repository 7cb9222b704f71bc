"""Where in a file MNIST lies: found from the names, shapes and attributes of what it holds.

``docs/data.md`` lists the layouts. A new one is a word in the tables below or, if names do
not tell, a function in ``_RULES``.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mnist_kedro.contracts import CLASSES
from mnist_kedro.errors import InputError
from mnist_kedro.sources.contents import Contents, StoredArray
from mnist_kedro.sources.shapes import count_images

KEYS = ("x_train", "y_train", "x_test", "y_test")

# What the words of a name mean. Capitals, and whatever separates the words, do not matter.
SPLITS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing"),
}
ROLES = {
    "images": ("x", "image", "images", "features", "input", "inputs", "pixels"),
    "labels": ("y", "t", "label", "labels", "target", "targets", "output", "outputs"),
}
# These mean images too, unless a word above says otherwise: "training_data/labels" are labels.
WEAK_ROLES = {"images": ("data", "default")}

# Of several sets of digits in one file, the one to take (Brainstorm's files hold both).
PREFERRED = ("normalized full", "normalized split")

MNIST_COUNT, MNIST_TEST_COUNT = 70_000, 10_000

# Files with a name like mnist.hdf5 that hold something else: one of these names gives them away.
FOREIGN = {
    "neighbors": "a nearest-neighbour benchmark (ann-benchmarks), whose images have no labels",
    "model_weights": "a Keras model, not digits",
    "optimizer_weights": "a Keras model, not digits",
    "layer_names": "the weights of a Keras model, not digits",
    "keras_version": "a Keras model, not digits",
    "input_raw_data": "Moving MNIST, sequences of images without labels",
}
_MOVING_MNIST_SIDE = 64


@dataclass(frozen=True)
class Piece:
    """Some rows of an array of images, with their labels: an array, or one digit for all."""

    images: StoredArray
    labels: StoredArray | int
    rows: slice = field(default_factory=lambda: slice(None))  # all of them


@dataclass(frozen=True)
class Layout:
    """Which pieces make up each split, in order; ``test`` is empty if the file has no test split.

    ``name`` tells a person what was recognised.
    """

    name: str
    train: tuple[Piece, ...]
    test: tuple[Piece, ...]
    joined_validation: bool = False


def find_layout(contents: Contents, keys: Mapping[str, str] | None = None) -> Layout:
    """Find MNIST in a file.

    Args:
        contents: what the file holds.
        keys: which array is ``x_train``, ``y_train`` and so on, also ``x_validation``; without it
            the file itself tells.

    Raises:
        InputError: naming what was looked for and what is there.
    """
    if keys:
        return _by_keys(contents, keys)
    for rule in _RULES:
        layout = rule(contents)
        if layout is not None:
            return layout
    raise InputError(f"{contents.path}: {_why_not(contents)}")


def _by_keys(contents: Contents, keys: Mapping[str, str]) -> Layout:
    found = {role: _named(contents, name, role) for role, name in keys.items()}
    pieces = {
        split: Piece(found[f"x_{split}"], found[f"y_{split}"])
        for split in SPLITS
        if f"x_{split}" in found
    }
    return _of_splits(f"ingestion.keys ({_listed(keys.values())})", pieces)


def _named(contents: Contents, name: str, role: str) -> StoredArray:
    if name in contents.groups:
        raise InputError(f"{contents.path}: '{name}' is a group; expected a dataset.")
    if name not in contents.arrays:
        raise InputError(
            f"{contents.path}: key '{name}' (ingestion.keys.{role}) is missing; "
            f"found {_listed(contents.arrays)}."
        )
    return contents.arrays[name]


def _by_fuel(contents: Contents) -> Layout | None:
    """Fuel: one array for each source, and an attribute that says which rows are which split."""
    rows = {}
    for place in contents.fuel:
        role = _meaning(place.source).role
        split = _meaning(place.split).split
        if role and split:
            if place.scattered:
                raise InputError(
                    f"{contents.path}: Fuel's split '{place.split}' lists single rows; "
                    "expected a start and a stop."
                )
            array = contents.arrays.get(place.source)
            if array is not None and place.stop > (array.shape or (0,))[0]:
                raise InputError(
                    f"{contents.path}: Fuel's split '{place.split}' ends at row {place.stop:,} of "
                    f"'{array.name}', which is {array.shape}."
                )
            rows[split, role] = (array, place.start, place.stop)
    pieces = {}
    for split in SPLITS:
        images, start, stop = rows.get((split, "images"), (None, 0, 0))
        labels, *same = rows.get((split, "labels"), (None, 0, 0))
        if images is not None and labels is not None and [start, stop] == same:
            pieces[split] = Piece(images, labels, slice(start, stop))
    return _of_splits("Fuel (a split attribute)", pieces) if "train" in pieces else None


def _by_digit(contents: Contents) -> Layout | None:
    """One array for each digit: ``train/0`` to ``train/9``."""
    pieces: dict[str, dict[int, Piece]] = defaultdict(dict)
    for name, array in contents.arrays.items():
        folder, _, last = name.rpartition("/")
        if last.isdecimal() and len(last) == 1:
            split = _meaning(folder).split or "train"
            pieces[split][int(last)] = Piece(array, int(last))
    if len(pieces.get("train", {})) < CLASSES:
        return None
    ordered = {
        split: tuple(of_split[digit] for digit in sorted(of_split))
        for split, of_split in pieces.items()
    }
    joined = "validation" in ordered
    return Layout(
        "one dataset a digit",
        ordered["train"] + ordered.get("validation", ()),
        ordered.get("test", ()),
        joined,
    )


def _by_split_names(contents: Contents) -> Layout | None:
    """An array for each split and role, told by their names: ``x_train``, ``test/labels``."""
    sets: dict[str, dict[tuple[str, str], StoredArray]] = defaultdict(dict)
    for name, array in contents.arrays.items():
        meaning = _meaning(name)
        if meaning.split and meaning.role:
            same = sets[meaning.rest].setdefault((meaning.split, meaning.role), array)
            if same is not array:
                raise InputError(
                    f"{contents.path}: '{same.name}' and '{name}' both seem to be the "
                    f"{meaning.split} {meaning.role}; say which is with ingestion.keys."
                )
    complete = {
        rest: found
        for rest, found in sets.items()
        if {("train", "images"), ("train", "labels")} <= found.keys()
    }
    if not complete:
        return None
    found = complete[_preferred(complete, contents)]
    pieces = {}
    for split in SPLITS:
        images, labels = found.get((split, "images")), found.get((split, "labels"))
        if (images is None) != (labels is None):
            raise InputError(f"{contents.path}: {_half(split, images, labels, contents)}")
        if images is not None and labels is not None:
            pieces[split] = Piece(images, labels)
    names = [found[split, role].name for split in pieces for role in ROLES]
    return _of_splits(_listed(names), pieces)


def _preferred(sets: Mapping[str, object], contents: Contents) -> str:
    if len(sets) == 1:
        return next(iter(sets))
    for rest in PREFERRED:
        if rest in sets:
            return rest
    raise InputError(
        f"{contents.path}: holds {len(sets)} sets of digits; say which to take with "
        f"ingestion.keys.x_train and so on; found {_listed(contents.arrays)}."
    )


def _half(
    split: str, images: StoredArray | None, labels: StoredArray | None, contents: Contents
) -> str:
    there = images or labels
    missing = "images" if images is None else "labels"
    for name in contents.groups:
        meaning = _meaning(name)
        if (meaning.split, meaning.role) == (split, missing):
            return f"'{name}' is a group; expected a dataset with the {split} {missing}."
    name = there.name if there else ""
    key = f"{'x' if missing == 'images' else 'y'}_{split}"
    return (
        f"key '{key}' is missing, or another name for the {missing} that belong to '{name}'; "
        f"found {_listed(contents.arrays)} (docs/data.md lists the layouts)."
    )


def _pooled(contents: Contents) -> Layout | None:
    """One array of images and one of labels, all splits in one."""
    by_role: dict[str, list[StoredArray]] = defaultdict(list)
    for name, array in contents.arrays.items():
        meaning = _meaning(name)
        if meaning.role and not meaning.split:
            by_role[meaning.role].append(array)
    if len(by_role["images"]) != 1 or len(by_role["labels"]) != 1:
        return None
    (images,), (labels,) = by_role["images"], by_role["labels"]
    return _of_splits(f"{images.name}, {labels.name}", {"train": Piece(images, labels)})


def _of_splits(name: str, pieces: Mapping[str, Piece]) -> Layout:
    train = pieces["train"]
    test = (pieces["test"],) if "test" in pieces else ()
    whole = train.rows == slice(None) and "validation" not in pieces
    if not test and whole and count_images(train.images) == MNIST_COUNT:
        first = MNIST_COUNT - MNIST_TEST_COUNT
        return Layout(
            f"{name}; all in one, the last {MNIST_TEST_COUNT:,} to test",
            (Piece(train.images, train.labels, slice(0, first)),),
            (Piece(train.images, train.labels, slice(first, MNIST_COUNT)),),
        )
    joined = (train, pieces["validation"]) if "validation" in pieces else (train,)
    return Layout(name, joined, test, len(joined) > 1)


_RULES = (_by_fuel, _by_split_names, _by_digit, _pooled)


@dataclass(frozen=True)
class _Meaning:
    split: str | None
    role: str | None
    rest: str  # the other words


def _meaning(name: str) -> _Meaning:
    """What a name says of an array: ``training_data/labels`` are the training labels."""
    words = [word for chunk in re.findall("[a-z]+|[0-9]+", name.lower()) for word in _words(chunk)]
    split = next((_SPLIT[word] for word in words if word in _SPLIT), None)
    strong = [_ROLE[word] for word in words if word in _ROLE]
    weak = [_WEAK[word] for word in words if word in _WEAK]
    rest = [word for word in words if word not in _SPLIT | _ROLE | _WEAK]
    return _Meaning(split, next(iter((strong or weak)[-1:]), None), " ".join(rest))


def _words(chunk: str) -> Sequence[str]:
    """Words that are written together, ``trainX``, taken apart if all of them are known."""
    return _KNOWN.findall(chunk) if re.fullmatch(f"(?:{_KNOWN.pattern})+", chunk) else (chunk,)


def _inverted(table: Mapping[str, Iterable[str]]) -> dict[str, str]:
    return {word: meaning for meaning, words in table.items() for word in words}


_SPLIT, _ROLE, _WEAK = _inverted(SPLITS), _inverted(ROLES), _inverted(WEAK_ROLES)
_KNOWN = re.compile("|".join(sorted(_SPLIT | _ROLE | _WEAK, key=len, reverse=True)))


def _why_not(contents: Contents) -> str:
    """Why nothing was found: it is something else, or under names that mean nothing here."""
    top = {name.partition("/")[0] for name in {*contents.arrays, *contents.groups}}
    for name, what in FOREIGN.items():
        if name in top | contents.attributes:
            return f"is {what}."
    for array in contents.arrays.values():
        if array.shape[-2:] == (_MOVING_MNIST_SIDE,) * 2:
            return (
                f"'{array.name}' is {array.shape}: Moving MNIST, or other images of 64 × 64; "
                "expected 28 × 28 with labels."
            )
    return (
        "no known layout; looked for images and labels under names such as "
        f"{', '.join(KEYS)}, found {_listed(contents.arrays)}; if MNIST is there, name it: "
        "--params ingestion.keys.x_train=…,ingestion.keys.y_train=… "
        "(docs/data.md lists the layouts)."
    )


def _listed(names: Iterable[str], most: int = 12) -> str:
    found = list(dict.fromkeys(names))
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more or "none"
