"""Find MNIST in a file by the names, shapes and attributes of the file's contents.

``docs/data.md`` lists the layouts. To support a new layout, add its words to the tables below or,
if names do not identify it, add a function to ``_RULES``.
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

# The meaning of the words in an array's name. Case and separators are ignored.
SPLITS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing"),
}
ROLES = {
    "images": ("x", "image", "images", "features", "input", "inputs", "pixels"),
    "labels": ("y", "t", "label", "labels", "target", "targets", "output", "outputs"),
}
# These words mean images, unless the name has a word above: "training_data/labels" are labels.
WEAK_ROLES = {"images": ("data", "default")}

# The set to read from a file with several sets of digits (Brainstorm's files hold both).
PREFERRED_SETS = ("normalized full", "normalized split")

MNIST_COUNT, MNIST_TEST_COUNT = 70_000, 10_000

# Names that identify files of other data, which may be called mnist.hdf5 as well.
FOREIGN = {
    "neighbors": "a nearest-neighbor benchmark (ann-benchmarks), whose images have no labels",
    "model_weights": "a Keras model, not digits",
    "optimizer_weights": "a Keras model, not digits",
    "layer_names": "the weights of a Keras model, not digits",
    "keras_version": "a Keras model, not digits",
    "input_raw_data": "Moving MNIST, sequences of images without labels",
}
_MOVING_MNIST_SIDE = 64


@dataclass(frozen=True)
class Piece:
    """Some rows of an array of images, with their labels: an array, or one digit for all rows."""

    images: StoredArray
    labels: StoredArray | int
    rows: slice = field(default_factory=lambda: slice(None))  # all rows


@dataclass(frozen=True)
class Layout:
    """The pieces of each split, in order; ``test`` is empty if the file has no test split.

    ``name`` describes the recognized layout to the user.
    """

    name: str
    train: tuple[Piece, ...]
    test: tuple[Piece, ...]
    joined_validation: bool = False


def find_layout(contents: Contents, keys: Mapping[str, str] | None = None) -> Layout:
    """Find MNIST in a file.

    Args:
        contents: of the file.
        keys: the names of the arrays ``x_train``, ``y_train``, ``x_validation`` and so on; if
            missing, the layout is recognized from the contents.

    Raises:
        InputError: if the file has no known layout; names the expected and the found arrays.
    """
    if keys:
        return _layout_of_keys(contents, keys)
    for rule in _RULES:
        layout = rule(contents)
        if layout is not None:
            return layout
    raise InputError(f"{contents.path}: {_reason_not_found(contents)}")


def _layout_of_keys(contents: Contents, keys: Mapping[str, str]) -> Layout:
    arrays = {key: _find_array(contents, name, key) for key, name in keys.items()}
    pieces = {
        split: Piece(arrays[f"x_{split}"], arrays[f"y_{split}"])
        for split in SPLITS
        if f"x_{split}" in arrays
    }
    return _layout_of_splits(f"ingestion.keys ({_join_names(keys.values())})", pieces)


def _find_array(contents: Contents, name: str, key: str) -> StoredArray:
    if name in contents.groups:
        raise InputError(f"{contents.path}: '{name}' is a group; expected a dataset.")
    if name not in contents.arrays:
        raise InputError(
            f"{contents.path}: key '{name}' (ingestion.keys.{key}) is missing; "
            f"found {_join_names(contents.arrays)}."
        )
    return contents.arrays[name]


def _fuel_layout(contents: Contents) -> Layout | None:
    """Recognize Fuel: an array per source, and an attribute with the rows of each split."""
    rows = {}
    for fuel in contents.fuel:
        role = _parse_name(fuel.source).role
        split = _parse_name(fuel.split).split
        if role and split:
            if fuel.scattered:
                raise InputError(
                    f"{contents.path}: Fuel's split '{fuel.split}' lists single rows; "
                    "expected a start and a stop."
                )
            array = contents.arrays.get(fuel.source)
            if array is not None and fuel.stop > (array.shape or (0,))[0]:
                raise InputError(
                    f"{contents.path}: Fuel's split '{fuel.split}' ends at row {fuel.stop:,} of "
                    f"'{array.name}' of shape {array.shape}."
                )
            rows[split, role] = (array, fuel.start, fuel.stop)
    pieces = {}
    for split in SPLITS:
        images, start, stop = rows.get((split, "images"), (None, 0, 0))
        labels, *label_range = rows.get((split, "labels"), (None, 0, 0))
        if images is not None and labels is not None and [start, stop] == label_range:
            pieces[split] = Piece(images, labels, slice(start, stop))
    return _layout_of_splits("Fuel (a split attribute)", pieces) if "train" in pieces else None


def _layout_by_digit(contents: Contents) -> Layout | None:
    """Recognize an array of images per digit: ``train/0`` to ``train/9``."""
    pieces: dict[str, dict[int, Piece]] = defaultdict(dict)
    for name, array in contents.arrays.items():
        group, _, digit = name.rpartition("/")
        if digit.isdecimal() and len(digit) == 1:
            split = _parse_name(group).split or "train"
            pieces[split][int(digit)] = Piece(array, int(digit))
    if len(pieces.get("train", {})) < CLASSES:
        return None
    ordered = {
        split: tuple(by_digit[digit] for digit in sorted(by_digit))
        for split, by_digit in pieces.items()
    }
    return Layout(
        "one dataset a digit",
        ordered["train"] + ordered.get("validation", ()),
        ordered.get("test", ()),
        joined_validation="validation" in ordered,
    )


def _layout_by_split(contents: Contents) -> Layout | None:
    """Recognize an array per split and role by their names: ``x_train``, ``test/labels``."""
    sets: dict[str, dict[tuple[str, str], StoredArray]] = defaultdict(dict)
    for name, array in contents.arrays.items():
        parsed = _parse_name(name)
        if parsed.split and parsed.role:
            first = sets[parsed.rest].setdefault((parsed.split, parsed.role), array)
            if first is not array:
                raise InputError(
                    f"{contents.path}: '{first.name}' and '{name}' both seem to be the "
                    f"{parsed.split} {parsed.role}; choose one with ingestion.keys."
                )
    complete = {
        rest: arrays
        for rest, arrays in sets.items()
        if {("train", "images"), ("train", "labels")} <= arrays.keys()
    }
    if not complete:
        return None
    arrays = complete[_choose_set(complete, contents)]
    pieces = {}
    for split in SPLITS:
        images, labels = arrays.get((split, "images")), arrays.get((split, "labels"))
        if (images is None) != (labels is None):
            raise InputError(f"{contents.path}: {_missing_half(split, images, labels, contents)}")
        if images is not None and labels is not None:
            pieces[split] = Piece(images, labels)
    names = [arrays[split, role].name for split in pieces for role in ROLES]
    return _layout_of_splits(_join_names(names), pieces)


def _choose_set(sets: Mapping[str, object], contents: Contents) -> str:
    if len(sets) == 1:
        return next(iter(sets))
    for rest in PREFERRED_SETS:
        if rest in sets:
            return rest
    raise InputError(
        f"{contents.path}: holds {len(sets)} sets of digits; choose one with "
        f"ingestion.keys; found {_join_names(contents.arrays)}."
    )


def _missing_half(
    split: str, images: StoredArray | None, labels: StoredArray | None, contents: Contents
) -> str:
    """Describe the images or labels that a split lacks."""
    present = images or labels
    missing = "images" if images is None else "labels"
    for name in contents.groups:
        parsed = _parse_name(name)
        if (parsed.split, parsed.role) == (split, missing):
            return f"'{name}' is a group; expected a dataset with the {split} {missing}."
    name = present.name if present else ""
    key = f"{'x' if missing == 'images' else 'y'}_{split}"
    return (
        f"key '{key}', or a similar name for the {missing} of '{name}', is missing; "
        f"found {_join_names(contents.arrays)} (docs/data.md lists the layouts)."
    )


def _pooled_layout(contents: Contents) -> Layout | None:
    """Recognize one array of images and one of labels, with all splits in them."""
    by_role: dict[str, list[StoredArray]] = defaultdict(list)
    for name, array in contents.arrays.items():
        parsed = _parse_name(name)
        if parsed.role and not parsed.split:
            by_role[parsed.role].append(array)
    if len(by_role["images"]) != 1 or len(by_role["labels"]) != 1:
        return None
    (images,), (labels,) = by_role["images"], by_role["labels"]
    return _layout_of_splits(f"{images.name}, {labels.name}", {"train": Piece(images, labels)})


def _layout_of_splits(name: str, pieces: Mapping[str, Piece]) -> Layout:
    train = pieces["train"]
    test = (pieces["test"],) if "test" in pieces else ()
    pooled = not test and train.rows == slice(None) and "validation" not in pieces
    if pooled and count_images(train.images) == MNIST_COUNT:
        train_count = MNIST_COUNT - MNIST_TEST_COUNT
        return Layout(
            f"{name}; all in one, the last {MNIST_TEST_COUNT:,} to test",
            (Piece(train.images, train.labels, slice(0, train_count)),),
            (Piece(train.images, train.labels, slice(train_count, MNIST_COUNT)),),
        )
    joined = (train, pieces["validation"]) if "validation" in pieces else (train,)
    return Layout(name, joined, test, len(joined) > 1)


_RULES = (_fuel_layout, _layout_by_split, _layout_by_digit, _pooled_layout)


@dataclass(frozen=True)
class _ParsedName:
    split: str | None
    role: str | None
    rest: str  # the words that name neither


def _parse_name(name: str) -> _ParsedName:
    """Parse an array's name: ``training_data/labels`` means the labels of the training split."""
    words = [word for text in re.findall("[a-z]+|[0-9]+", name.lower()) for word in _subwords(text)]
    split = next((_SPLIT_OF[word] for word in words if word in _SPLIT_OF), None)
    strong = [_ROLE_OF[word] for word in words if word in _ROLE_OF]
    weak = [_WEAK_ROLE_OF[word] for word in words if word in _WEAK_ROLE_OF]
    rest = [word for word in words if word not in _WORDS]
    return _ParsedName(split, next(iter((strong or weak)[-1:]), None), " ".join(rest))


def _subwords(text: str) -> Sequence[str]:
    """Split words that are written together, as in ``trainX``, if all of them are known."""
    known = re.fullmatch(f"(?:{_KNOWN_WORD.pattern})+", text)
    return _KNOWN_WORD.findall(text) if known else (text,)


def _by_word(table: Mapping[str, Iterable[str]]) -> dict[str, str]:
    return {word: meaning for meaning, words in table.items() for word in words}


_SPLIT_OF, _ROLE_OF, _WEAK_ROLE_OF = _by_word(SPLITS), _by_word(ROLES), _by_word(WEAK_ROLES)
_WORDS = sorted(_SPLIT_OF | _ROLE_OF | _WEAK_ROLE_OF, key=len, reverse=True)
_KNOWN_WORD = re.compile("|".join(_WORDS))


def _reason_not_found(contents: Contents) -> str:
    """Explain why no layout was found: the file holds other data, or uses unknown names."""
    top = {name.partition("/")[0] for name in {*contents.arrays, *contents.groups}}
    for name, other_data in FOREIGN.items():
        if name in top | contents.attributes:
            return f"is {other_data}."
    for array in contents.arrays.values():
        if array.shape[-2:] == (_MOVING_MNIST_SIDE,) * 2:
            return (
                f"'{array.name}' is {array.shape}: Moving MNIST, or other images of 64 × 64; "
                "expected images of 28 × 28 with labels."
            )
    return (
        "unknown layout; expected images and labels under names such as "
        f"{', '.join(KEYS)}, found {_join_names(contents.arrays)}; if these hold MNIST, name them: "
        "--params ingestion.keys.x_train=…,ingestion.keys.y_train=… "
        "(docs/data.md lists the layouts)."
    )


def _join_names(names: Iterable[str], limit: int = 12) -> str:
    unique = list(dict.fromkeys(names))
    more = f" and {len(unique) - limit} more" if len(unique) > limit else ""
    return ", ".join(unique[:limit]) + more or "none"
