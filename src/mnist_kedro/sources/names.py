"""Derive the split and the role of arrays from their names and shapes."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from mnist_kedro.sources.contents import StoredArray
from mnist_kedro.sources.shapes import count_images

# The meaning of the words in an array's name. Case and separators are ignored.
SPLITS = {
    "train": ("train", "training", "tr", "trn"),
    "validation": ("validation", "validate", "valid", "val", "va", "dev", "cv"),
    "test": (
        *("test", "testing", "te", "ts", "tst", "t10k"),
        *("eval", "evaluation", "holdout", "heldout", "unseen"),
    ),
}
ROLES = {
    "images": (
        *("x", "image", "images", "img", "imgs", "picture", "pictures", "pixel", "pixels"),
        *("feature", "features", "input", "inputs"),
    ),
    "labels": (
        *("y", "t", "label", "labels", "lbl", "lbls", "target", "targets", "output", "outputs"),
        *("class", "classes"),
    ),
}
# Weaker than the words above: "training_data/labels" means labels.
WEAK_ROLES = {"images": ("data", "default")}
# These words have no meaning here.
FILLERS = (
    *("mnist", "emnist", "dataset", "set", "samples", "digit", "digits", "values", "block"),
    *("idx", "ubyte", "byte", "raw", "examples", "table"),
)


class Named(NamedTuple):
    """An array, and the properties derived from its name and shape."""

    array: StoredArray
    split: str  # empty if the name contains no split
    role: str  # empty if the shape allows labels; "other" if it is neither
    rest: str  # the words that name neither split nor role
    whole: str  # the name without the number of a part

    @property
    def is_part(self) -> bool:
        """Return whether the array is a part of a larger one."""
        return self.whole != self.array.name


def describe(array: StoredArray) -> Named:
    """Describe an array by its name and shape."""
    parsed = parse_name(array.name)
    if count_images(array) and array.dtype.kind in "buif":
        role = "images"
    else:
        role = parsed.role or ("" if count_labels(array) else "other")
    return Named(array, parsed.split or "", role, parsed.rest, _PART.sub("", array.name))


def count_labels(array: StoredArray) -> int | None:
    """Return how many labels, one-hot or not, an array may hold; None if it cannot hold labels."""
    if array.dtype.kind not in "buifSU":
        return None
    match [length for length in array.shape if length != 1]:
        case [count] | [count, 10] | [10, count]:
            return count
    return None


class ParsedName(NamedTuple):
    """The split and the role in a name (None if missing), and all other words."""

    split: str | None
    role: str | None
    rest: str


def parse_name(name: str) -> ParsedName:
    """Parse an array's name: ``training_data/labels`` are the labels of the training split."""
    texts = re.findall("t10k|[a-z]+|[0-9]+", _NUMBER.sub("", _PART.sub("", name).lower()))
    words = [word for text in texts for word in _subwords(text)]
    split = next((_SPLIT_OF[word] for word in words if word in _SPLIT_OF), None)
    strong = [_ROLE_OF[word] for word in words if word in _ROLE_OF]
    weak = [_WEAK_ROLE_OF[word] for word in words if word in _WEAK_ROLE_OF]
    rest = [word for word in words if word not in _WORDS]
    return ParsedName(split, next(iter((strong or weak)[-1:]), None), " ".join(rest))


def _subwords(text: str) -> Sequence[str]:
    """Split words that are written together, as in ``trainX``, if all of them are known."""
    known = re.fullmatch(f"(?:{_KNOWN_WORD.pattern})+", text)
    return _KNOWN_WORD.findall(text) if known else (text,)


def _by_word(table: Mapping[str, Iterable[str]]) -> dict[str, str]:
    return {word: meaning for meaning, words in table.items() for word in words}


_SPLIT_OF, _ROLE_OF, _WEAK_ROLE_OF = _by_word(SPLITS), _by_word(ROLES), _by_word(WEAK_ROLES)
_WORDS = sorted([*_SPLIT_OF, *_ROLE_OF, *_WEAK_ROLE_OF, *FILLERS], key=len, reverse=True)
_KNOWN_WORD = re.compile("|".join(_WORDS))
# Parts of an array: one per writer in TensorFlow Federated's files, one per file in Hugging Face's.
_PART = re.compile(r"(?<=examples)/[^/]+|[0-9]{5}-of-[0-9]{5}")
_NUMBER = re.compile(r"(?<=idx)[13]|(?<=block)_?[0-9]")  # in names of IDX files and pandas' tables
