"""Read a folder of files and pictures as one data set."""

import hashlib
import io
import logging
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mnist_kedro.contracts import CLASSES
from mnist_kedro.errors import InputError
from mnist_kedro.sources.child_process import open_in_child
from mnist_kedro.sources.contents import Contents, StoredArray, report_corruption
from mnist_kedro.sources.formats import (
    SUFFIXES,
    detect_format,
    find_compression,
    stem,
    strip_compression,
)
from mnist_kedro.sources.idx import FILES, open_idx_files
from mnist_kedro.sources.names import parse_name
from mnist_kedro.sources.one_file import ADVICE, EXPECTED, open_file

logger = logging.getLogger(__name__)

_MAX_DEPTH = 4  # levels of sub-folders
_MAX_FILES = 1_000  # limit for a folder, without pictures
_HEAD_BYTES, _MIN_SEPARATORS = 20_000, 50  # in the first line of a table of digits
_MAX_MERGED = 40  # files that are open at once
_FOREIGN = {"__MACOSX"}  # macOS stores attributes of files there
_PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif"}
_ONE_ARRAY = {"idx", "npy"}  # formats whose files hold one array
_COMPLETE = {"hdf5", "npz", "matlab", "pickles"}  # formats whose files may hold all arrays
_NUMBERS = re.compile(rb"[-+.,;\"0-9eE\s]+")
# The last digit of the folder's name is the label of its pictures.
_FOLDER_OF_DIGIT = re.compile(
    r"((digits?|class|label|number|train(ing)?|test(ing)?|val(idation)?)[-_ ]?)?0*[0-9]",
    re.IGNORECASE,
)
_PART = re.compile(
    r"train|test|t10k|val|dev|eval|image|label|(^|[-_ ])[xyt]([-_ ]|$)", re.IGNORECASE
)


@dataclass(frozen=True)
class Survey:
    """The data files of a folder by format, its picture folders 0–9, and rejected files."""

    folder: Path
    files: Mapping[Path, str]
    pictures: tuple[str, ...]  # relative to the folder
    rejected: Mapping[Path, str]  # keys of ADVICE

    def __bool__(self) -> bool:
        return bool(self.files or self.pictures)

    def check_one_data_set(self) -> None:
        """Raise InputError if one of several files is a complete data set."""
        complete = [
            path
            for path, name in self.files.items()
            if name in _COMPLETE and not _PART.search(stem(path))
        ]
        if complete and len(self.files) + len(self.pictures) > 1:
            names = ", ".join(str(path.relative_to(self.folder)) for path in self.files)
            found = len(self.files) + bool(self.pictures)
            more = ", and folders of pictures" if self.pictures else ""
            raise InputError(
                f"{self.folder}: expected one MNIST file, found {found} ({names}{more}); "
                f"name the one to use: --params ingestion.source={complete[0]}"
            )


def survey(folder: Path) -> Survey:
    """Find the data files and picture folders that may hold MNIST; do not follow linked folders.

    Raises:
        InputError: if the folder has too many files.
    """
    files: dict[Path, str] = {}
    rejected: dict[Path, str] = {}
    pictures, seen = [], 0
    for current, folders, names in os.walk(folder):
        depth = len(Path(current).relative_to(folder).parts)
        visible = sorted(name for name in folders if name[0] != "." and name not in _FOREIGN)
        folders[:] = visible if depth < _MAX_DEPTH else []
        paths = [Path(current, name) for name in sorted(names) if name[0] != "."]
        others = [path for path in paths if path.suffix.lower() not in _PICTURES]
        if len(others) < len(paths) and _FOLDER_OF_DIGIT.fullmatch(Path(current).name) and depth:
            pictures.append(Path(current).relative_to(folder).as_posix())
            folders.clear()
            continue
        seen += len(others)
        if seen > _MAX_FILES:
            raise InputError(
                f"{folder}: more than {_MAX_FILES:,} files; set a folder with only MNIST."
            )
        for path in others:
            if path.is_file():
                name = _detect(path)
                if name in ADVICE:
                    rejected[path] = name
                elif name:
                    files[path] = name
    return Survey(folder, _without_copies(files), tuple(pictures), rejected)


def _detect(path: Path) -> str | None:
    name = detect_format(path)
    return None if name == "delimited" and not _is_table(path) else name


def _is_table(path: Path) -> bool:
    """Return whether a text file is a table of digits or labels, not a README or a submission.

    A table of digits has many columns. A table of labels has one or ten, and "labels" in its name.
    """
    opener: Any = find_compression(path) or io.FileIO
    with report_corruption(path, "corrupt compressed file"), opener(path) as file:
        head = file.read(_HEAD_BYTES)
    first, *more = head.split(b"\n", 2)
    second = more[0] if more else first  # The first line may be a header.
    named = strip_compression(path).suffix.lower() in {*SUFFIXES, ".txt"}
    columns = max(map(first.strip().count, (b",", b";", b"\t", b" "))) + 1
    labels = columns in {1, CLASSES} and parse_name(stem(path)).role == "labels"
    return named and bool(_NUMBERS.fullmatch(second)) and (labels or columns > _MIN_SEPARATORS)


def _without_copies(files: Mapping[Path, str]) -> dict[Path, str]:
    """Skip copies: files with the same name and content, compressed or in another folder."""
    by_name: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(files, key=lambda path: (len(path.parts), len(path.name), path)):
        by_name[stem(path)].append(path)
    kept = set()
    for paths in by_name.values():
        if len(paths) == 1:
            kept.add(paths[0])
        else:
            kept.update({_digest(path): path for path in reversed(paths)}.values())
    return {path: name for path, name in files.items() if path in kept}


def _digest(path: Path) -> str:
    opener: Any = find_compression(path) or io.FileIO
    with report_corruption(path, "corrupt compressed file"), opener(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def open_folder(folder: Path, max_digits: int) -> Iterator[Contents]:
    """Open all data files and picture folders in a folder as one data set.

    The name of an array begins with the relative path of its file, without suffixes, as in
    ``raw/train/pixels``; if there is only one file, its array names are unchanged. MNIST's four IDX
    files, in any sub-folders, become ``x_train``, ``y_train``, ``x_test`` and ``y_test``.

    Raises:
        InputError: if there are no files, or too many, or one of several files is a complete data
            set, or a file is corrupt.
    """
    found = survey(folder)
    if not found:
        raise InputError(f"{folder}: {_describe_nothing(found)}")
    found.check_one_data_set()
    if len(found.files) > _MAX_MERGED:
        raise InputError(
            f"{folder}: {len(found.files)} files of data; at most {_MAX_MERGED} are read together. "
            "Move MNIST's files to a separate folder."
        )
    names = {stem(path): path for path in found.files}
    if {*found.files.values()} == {"idx"} and {*names} <= {*FILES.values()} and not found.pictures:
        with open_idx_files(folder, names, max_digits) as contents:
            yield contents
        return
    with ExitStack() as stack:
        parts: Mapping[Path, Contents] = {
            path: stack.enter_context(open_file(path, max_digits)) for path in found.files
        }
        if len(parts) == 1 and not found.pictures and "idx" not in found.files.values():
            yield next(iter(parts.values()))
            return
        merged = _merge(found, parts)
        if found.pictures:
            opening = open_in_child(
                "picture_folders", folder, max_digits, folders=list(found.pictures)
            )
            merged |= stack.enter_context(opening).arrays
        groups = {
            f"{_prefix(path, folder)}/{group}"
            for path, part in parts.items()
            for group in part.groups
        }
        attributes = frozenset().union(*(part.attributes for part in parts.values()))
        yield Contents(folder, merged, groups=frozenset(groups), attributes=attributes)


def _merge(found: Survey, parts: Mapping[Path, Contents]) -> dict[str, StoredArray]:
    merged: dict[str, StoredArray] = {}
    for path, part in parts.items():
        prefix = _prefix(path, found.folder)
        for name, array in part.arrays.items():
            full_name = prefix if found.files[path] in _ONE_ARRAY else f"{prefix}/{name}"
            if full_name in merged:
                raise InputError(
                    f"{path}: another file with this name has other content; remove one of them."
                )
            origin = f"{prefix}/{array.origin}" if array.origin else ""
            merged[full_name] = replace(array, name=full_name, origin=origin)
    return merged


def _prefix(path: Path, folder: Path) -> str:
    return (path.relative_to(folder).parent / stem(path)).as_posix()


def _describe_nothing(found: Survey) -> str:
    if found.folder.suffix.lower() in SUFFIXES:
        return "a folder; expected a file, because of its suffix."
    for path, name in found.rejected.items():
        return f"'{path.name}' is {ADVICE[name]}."
    return f"no file of MNIST in this folder; expected {EXPECTED}."
