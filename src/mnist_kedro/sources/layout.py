"""Find MNIST in a file by the names, shapes and attributes of its arrays.

``docs/data.md`` lists the layouts. To support a new layout, add its words to the tables of
``names.py`` or, if names do not identify it, add a function to ``_SHAPE_RULES``.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mnist_kedro.errors import InputError
from mnist_kedro.sources.contents import Contents, StoredArray
from mnist_kedro.sources.names import SPLITS, Named, count_labels, describe, parse_name
from mnist_kedro.sources.shapes import count_images, image_shape
from mnist_kedro.sources.tables import split_tables

KEYS = ("x_train", "y_train", "x_test", "y_test")

# The sets to prefer in a file with several sets of digits (Brainstorm's files hold both).
PREFERRED_SETS = ("normalized full", "normalized split")

MNIST_COUNT, MNIST_TEST_COUNT = 70_000, 10_000

# Names that identify files with other data, which may also be called mnist.hdf5.
FOREIGN = {
    "neighbors": "a nearest-neighbor benchmark (ann-benchmarks), whose images have no labels",
    "model_weights": "a Keras model, not digits",
    "optimizer_weights": "a Keras model, not digits",
    "layer_names": "the weights of a Keras model, not digits",
    "keras_version": "a Keras model, not digits",
    "input_raw_data": "Moving MNIST, sequences of images without labels",
}
_MOVING_MNIST_SIDE = 64

_DIGIT_AT_END = re.compile(r"(?P<group>(?:.*[^0-9])?)0*(?P<digit>[0-9])")
_NUMBERED = re.compile(r".*[^0-9][0-9]")


@dataclass(frozen=True)
class Piece:
    """Some rows of an array of images, and their labels: an array, or one digit for all rows."""

    images: StoredArray
    labels: StoredArray | int
    rows: slice = field(default_factory=lambda: slice(None))  # all rows

    @property
    def arrays(self) -> tuple[StoredArray, ...]:
        """Return the stored arrays of the piece."""
        return (self.images,) if isinstance(self.labels, int) else (self.images, self.labels)


@dataclass(frozen=True)
class Layout:
    """The pieces of the splits, in order: ``train`` and, if present, ``validation`` and ``test``.

    ``name`` describes the recognized layout to the user; ``unused`` lists the ignored arrays.
    """

    name: str
    splits: Mapping[str, tuple[Piece, ...]]
    unused: tuple[str, ...] = ()


def find_layout(
    contents: Contents, keys: Mapping[str, str] | None = None, *, by_names: bool = False
) -> Layout:
    """Find MNIST in a file.

    Args:
        contents: the contents of the file.
        keys: the names of the arrays ``x_train``, ``y_train``, ``x_validation`` and so on; None
            to recognize the layout from the contents.
        by_names: recognize labels only by the name of an array, not by its shape.

    Raises:
        InputError: if the layout is unknown; the message names the expected and the found arrays.
    """
    contents = replace(contents, arrays=split_tables(contents.arrays))
    if keys:
        return _layout_of_keys(contents, keys)
    for rule in _NAME_RULES if by_names else (*_NAME_RULES, *_SHAPE_RULES):
        layout = rule(contents)
        if layout is not None:
            return layout
    raise InputError(f"{contents.path}: {_reason_not_found(contents)}")


def _layout_of_keys(contents: Contents, keys: Mapping[str, str]) -> Layout:
    arrays = {key: _find_array(contents, name, key) for key, name in keys.items()}
    pieces = {
        split: (Piece(arrays[f"x_{split}"], arrays[f"y_{split}"]),)
        for split in SPLITS
        if f"x_{split}" in arrays
    }
    return _layout_of_splits(pieces, replace(contents, arrays=arrays))


def _find_array(contents: Contents, name: str, key: str) -> StoredArray:
    name = name.strip("/")
    if name in contents.groups:
        raise InputError(
            f"{contents.path}: '{name}' is a group; expected a dataset (ingestion.keys.{key}), "
            f"one of {_join_names(contents.arrays)}."
        )
    if name not in contents.arrays:
        raise InputError(
            f"{contents.path}: key '{name}' (ingestion.keys.{key}) is missing; "
            f"expected one of {_join_names(contents.arrays)}."
        )
    return contents.arrays[name]


def _fuel_layout(contents: Contents) -> Layout | None:
    """Recognize Fuel: an array per source, and an attribute with the rows of each split."""
    rows = {}
    for fuel in contents.fuel:
        role = parse_name(fuel.source).role
        split = parse_name(fuel.split).split
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
            pieces[split] = (Piece(images, labels, slice(start, stop)),)
    if "train" not in pieces:
        return None
    return _layout_of_splits(pieces, contents, "Fuel (a split attribute)")


def _layout_by_digit(contents: Contents) -> Layout | None:
    """Recognize an array of images per digit: ``train/0`` to ``train/9``, or ``train0``."""
    groups: dict[str, dict[int, StoredArray]] = defaultdict(dict)
    for name, array in contents.arrays.items():
        if found := _DIGIT_AT_END.fullmatch(name):
            groups[found["group"]][int(found["digit"])] = array
    pieces: dict[str, tuple[Piece, ...]] = {}
    origins: dict[str, str] = {}
    for group, arrays in groups.items():
        if len(arrays) > 1 and all(map(count_images, arrays.values())):
            split = parse_name(group).split or "train"
            if split in pieces:
                raise InputError(
                    f"{contents.path}: '{origins[split]}' and '{group}' both hold the {split} "
                    "split, with an array or folder per digit; name them train and test."
                )
            origins[split] = group
            pieces[split] = tuple(Piece(arrays[digit], digit) for digit in sorted(arrays))
    if "train" not in pieces:
        return None
    used = {part.images.name for parts in pieces.values() for part in parts}
    others = [describe(array) for name, array in contents.arrays.items() if name not in used]
    held_out = {**_splits_of_set(others, contents), **pieces}
    return _layout_of_splits(held_out, contents, "one dataset per digit")


def _layout_by_name(contents: Contents) -> Layout | None:
    """Recognize arrays by their names, such as ``x_train``, ``test/labels`` or ``images``."""
    sets: dict[str, list[Named]] = defaultdict(list)
    for one in map(describe, contents.arrays.values()):
        sets[one.rest].append(one)
    found = {rest: _splits_of_set(named, contents) for rest, named in sets.items()}
    complete = {rest: pieces for rest, pieces in found.items() if "train" in pieces}
    if not complete:
        return None
    same = len({tuple(_identities(pieces)) for pieces in complete.values()}) == 1
    chosen = next(iter(complete)) if same else _choose_set(complete, contents)
    _check_images(complete[chosen], sets[chosen], contents)
    return _layout_of_splits(complete[chosen], contents)


def _identities(pieces: Mapping[str, tuple[Piece, ...]]) -> list[str]:
    """Return the identities of all arrays, which do not depend on the names of the arrays."""
    return [a.identity for parts in pieces.values() for part in parts for a in part.arrays]


def _splits_of_set(named: Sequence[Named], contents: Contents) -> dict[str, tuple[Piece, ...]]:
    """Return the pieces of each split, for arrays whose names differ only in split and role."""
    by_split: dict[str, list[Named]] = defaultdict(list)
    for one in named:
        by_split[one.split].append(one)
    if not any(one.role == "images" for one in by_split["train"]):
        by_split["train"] += by_split.pop("", [])
    pieces = {}
    for split in SPLITS:
        images = _select(by_split[split], "images", split, contents)
        counts = {count_images(array) for array in images}
        labels = _select(by_split[split], "labels", split, contents) or [
            one.array
            for one in by_split[split]
            if one.role == "" and count_labels(one.array) in counts
        ]
        if images and len(images) == len(labels):
            pieces[split] = tuple(map(Piece, images, labels))
    return pieces


def _check_images(
    pieces: Mapping[str, tuple[Piece, ...]], named: Sequence[Named], contents: Contents
) -> None:
    """Raise InputError if labels of the chosen set have no images."""
    for one in named:
        if one.role == "labels" and one.split not in ("", "train", *pieces):
            raise InputError(f"{contents.path}: {_missing_images(one.split, one.array, contents)}")


def _select(named: Sequence[Named], role: str, split: str, contents: Contents) -> list[StoredArray]:
    """Return the array with a role, or the parts of this array in order.

    Raises:
        InputError: if several arrays seem to have the role.
    """
    found = [one for one in named if one.role == role]
    # Arrays of 28 × 28 are more likely images than other arrays, regardless of their names.
    sure = [one for one in found if (shape := image_shape(one.array.shape)) and shape.is_plain]
    found = (sure or found) if role == "images" else found
    found = [*{one.array.identity: one for one in reversed(found)}.values()][::-1]
    if len({one.whole for one in found}) > 1:
        raise InputError(
            f"{contents.path}: '{found[0].array.name}' and '{found[1].array.name}' both seem to be "
            f"the {split} {role}; choose one: {_keys_advice(contents)}."
        )
    if len(found) > 1 and not found[0].is_part:
        return []
    return [one.array for one in sorted(found, key=lambda one: one.array.name)]


def _layout_of_only_images(contents: Contents) -> Layout | None:
    """Recognize the only array of images of each split; ignore all other words in the names."""
    named = [*map(describe, contents.arrays.values())]
    images = Counter(one.split for one in named if one.role == "images")
    if max(images.values(), default=0) != 1:
        return None
    pieces = _splits_of_set(named, contents)
    return _layout_of_splits(pieces, contents) if "train" in pieces else None


def _layout_by_number(contents: Contents) -> Layout | None:
    """Recognize two arrays of images and two of labels by their order: ``arr_0`` to ``arr_3``."""
    if len(contents.arrays) != 4 or not all(map(_NUMBERED.fullmatch, contents.arrays)):
        return None
    x_train, y_train, x_test, y_test = (array for _, array in sorted(contents.arrays.items()))
    train_count, test_count = count_images(x_train) or 0, count_images(x_test) or 0
    fits = (train_count, test_count) == (count_labels(y_train), count_labels(y_test))
    if not fits or train_count < test_count:
        return None
    pieces = {"train": (Piece(x_train, y_train),), "test": (Piece(x_test, y_test),)}
    return _layout_of_splits(pieces, contents)


def _choose_set(sets: Mapping[str, object], contents: Contents) -> str:
    if len(sets) == 1:
        return next(iter(sets))
    for rest in PREFERRED_SETS:
        if rest in sets:
            return rest
    raise InputError(
        f"{contents.path}: holds {len(sets)} sets of digits; choose one: {_keys_advice(contents)}."
    )


def _missing_images(split: str, labels: StoredArray, contents: Contents) -> str:
    """Describe the images that a split lacks."""
    for name in contents.groups:
        parsed = parse_name(name)
        if (parsed.split, parsed.role) == (split, "images"):
            return (
                f"'{name}' is a group; expected a dataset with the {split} images; choose one: "
                f"{_keys_advice(contents)}."
            )
    return (
        f"key 'x_{split}', or a similar name for the images of '{labels.name}', is missing; "
        f"found {_join_names(contents.arrays)}; add the images, or remove the labels."
    )


def _keys_advice(contents: Contents) -> str:
    """Return the command-line options that select arrays of the file."""
    return (
        "--params ingestion.keys.x_train=…,ingestion.keys.y_train=…, and in the same way x_test "
        f"and y_test, with names of {_join_names(contents.arrays)}"
    )


def _layout_of_splits(
    pieces: Mapping[str, tuple[Piece, ...]], contents: Contents, name: str = ""
) -> Layout:
    used = [array for parts in pieces.values() for part in parts for array in part.arrays]
    name = name or _join_names(array.name for array in used)
    known = {array.identity for array in used}
    unused = [array for array in contents.arrays.values() if array.identity not in known]
    further = [array for array in unused if count_images(array)]
    labels = {count_labels(array) for array in unused} - {None}
    if "test" not in pieces and (unclear := [a for a in further if count_images(a) in labels]):
        raise InputError(
            f"{contents.path}: '{unclear[0].name}' holds more images with labels, perhaps a "
            f"test split; name all arrays to use: {_keys_advice(contents)}."
        )
    (train, *more) = pieces["train"]
    if (
        pieces.keys() == {"train"}
        and not more
        and train.rows == slice(None)
        and count_images(train.images) == MNIST_COUNT
    ):
        train_count = MNIST_COUNT - MNIST_TEST_COUNT
        name = f"{name}; not split, the last {MNIST_TEST_COUNT:,} are the test split"
        first, last = slice(0, train_count), slice(train_count, MNIST_COUNT)
        pieces = {"train": (replace(train, rows=first),), "test": (replace(train, rows=last),)}
    indices = [array for array in unused if _may_name_splits(array)]
    return Layout(name, pieces, tuple(array.name for array in (*further, *indices)))


def _may_name_splits(array: StoredArray) -> bool:
    """Return whether a vector may assign digits to splits, such as ``is_test``."""
    parsed = parse_name(array.name)
    named = bool(parsed.split) or not {"set", "split", "fold", "splits", "folds"}.isdisjoint(
        array.name.lower().replace("/", "_").split("_")
    )
    return named and parsed.role != "labels" and len([n for n in array.shape if n != 1]) == 1


_NAME_RULES = (_fuel_layout, _layout_by_name, _layout_by_digit)
_SHAPE_RULES = (_layout_of_only_images, _layout_by_number)


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
        f"{', '.join(KEYS)}; if these hold MNIST, name them: {_keys_advice(contents)} "
        "(docs/data.md lists the layouts)."
    )


def _join_names(names: Iterable[str], limit: int = 12) -> str:
    unique = list(dict.fromkeys(names))
    more = f" and {len(unique) - limit} more" if len(unique) > limit else ""
    return ", ".join(unique[:limit]) + more or "none"
