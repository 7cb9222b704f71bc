"""Remove old versions of datasets from a local disk."""

import json
import os
import re
import shutil
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from mnist_kedro.errors import InputError
from mnist_kedro.lineage import RECORD_FILE, Lineage, lineage_of
from mnist_kedro.promotion import FILE, read_history, read_promoted

_VERSION = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d\.\d{3}Z|\d{17}"
)  # the latter of SavedModels

_LOCK = ".lock"


class OldVersion(NamedTuple):
    """A version that can be removed, or that is examined for removal."""

    dataset: Path  # path of the dataset, without the version
    version: str

    @property
    def folder(self) -> Path:
        """Return the folder of the version."""
        return self.dataset / self.version

    @property
    def run(self) -> str:
        """Return only the digits of the version; a SavedModel's version has only these digits."""
        return re.sub(r"\D", "", self.version)


def find_old_versions(root: Path, keep: int) -> list[OldVersion]:
    """Find the versions that are no longer needed.

    The following versions are needed: the latest versions of each dataset; the promoted model, the
    one promoted before it, and the networks that these were fine-tuned from; the files in the
    folder ``latest``; all promotion decisions; and for each needed model the latest matching
    version of each dataset.

    Args:
        root: data folder.
        keep: number of latest versions to keep of each dataset, at least 1.
    """
    versions = defaultdict(list)
    for found in _list_versions(root):
        versions[found.dataset].append(found)
    needed = {path.resolve().parent for path in (root / "08_reporting/latest").glob("*")}
    exported, trained = _promoted(root / "06_models")
    old: list[OldVersion] = []
    for dataset, ones in versions.items():
        ones.sort(key=lambda one: one.run, reverse=True)
        runs = trained if dataset.suffix == ".keras" else exported
        is_model = dataset.parent.name in ("06_models", "saved_models")
        old += [
            one
            for one in ones[keep:]
            if dataset.name != FILE
            and one.folder.resolve() not in needed
            and not (is_model and (_model_name(dataset), one.run) in runs)
        ]
    return _without_matching(versions, set(old))


def _without_matching(
    versions: dict[Path, list[OldVersion]], old: set[OldVersion]
) -> list[OldVersion]:
    """Leave out the latest version of each dataset that matches a needed model."""
    digests = defaultdict(set)
    for dataset, ones in versions.items():
        if dataset.suffix == ".keras":
            for one in set(ones) - old:
                for key, digest in _read_lineage(one).items():
                    digests[key].add(digest)
    for ones in versions.values():
        seen = set()
        for one in ones:
            lineage = _read_lineage(one) if not old.isdisjoint(ones) else {}
            known = frozenset(lineage.items())
            matches = known and all(digest in digests[key] for key, digest in known)
            if one in old and matches and known not in seen:
                old.remove(one)
            seen.add(known)
    return sorted(old)


def count_freed_bytes(old: Iterable[OldVersion]) -> int:
    """Count the bytes that would be freed; equal versions may share a file (hard links)."""
    links: dict[tuple[int, int], list[os.stat_result]] = defaultdict(list)
    for one in old:
        for path in one.folder.rglob("*"):
            if path.is_file():
                status = path.stat()
                links[status.st_dev, status.st_ino].append(status)
    return sum(found[0].st_size for found in links.values() if len(found) >= found[0].st_nlink)


def remove_version(old: OldVersion) -> None:
    """Remove a version; other programs see either all of its files or none."""
    hidden = old.folder.with_name(f".removed-{old.version}")
    old.folder.rename(hidden)
    shutil.rmtree(hidden)


@contextmanager
def locked(root: Path, *, exclusive: bool) -> Iterator[None]:
    """Lock the data folder: runs share the lock, and removing versions locks exclusively.

    Do nothing if the folder or the operating system does not support file locks.

    Raises:
        InputError: if the lock is exclusive and a run is in progress.
    """
    with ExitStack() as stack:
        with suppress(ImportError, OSError):
            import fcntl  # noqa: PLC0415  (not on Windows)

            file = stack.enter_context((root / _LOCK).open("a"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB if exclusive else fcntl.LOCK_SH)
            except BlockingIOError as error:
                raise InputError(f"{root}: a run is in progress; wait until it ends.") from error
        yield


def _list_versions(root: Path) -> Iterator[OldVersion]:
    for layer in sorted(path for path in root.iterdir() if path.is_dir()):
        for folder, names, _ in os.walk(layer):
            versions = [name for name in names if _VERSION.fullmatch(name)]
            yield from (OldVersion(Path(folder), version) for version in versions)
            names[:] = [name for name in names if name not in versions and name[0] != "."]


def _promoted(models: Path) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Return names and versions of the promoted and previously promoted exports and Keras models.

    The Keras models include the networks that these were fine-tuned from.
    """
    exports = set(read_history(models)[-2:])
    trainings = {
        (one["model"], one["trained"])
        for one in read_promoted(models)
        if (one["model"], one["version"]) in exports and one.get("trained")
    }
    for name, version in [*trainings]:  # teaching always starts from the parent
        path = models / f"{name}.keras" / str(version) / f"{name}.keras"
        with suppress(OSError, ValueError, KeyError, zipfile.BadZipFile):
            trainings.add((name, _read_model(path)["taught"]["parent"]["version"]))
    exported, trained = (
        {(name, re.sub(r"\D", "", str(version))) for name, version in ones}
        for ones in (exports, trainings)
    )
    return exported, trained


def _model_name(dataset: Path) -> str:
    """Return the name of a model from a path such as ``cnn.onnx`` or ``cnn_tflite.json``."""
    return re.sub(r"(_int8)?(_onnx|_tflite|_saved_model)?$", "", dataset.stem)


def _read_lineage(one: OldVersion) -> Lineage:
    """Return the lineage of a version; empty if it has no lineage or cannot be read."""
    path = one.folder / one.dataset.name
    try:
        return lineage_of(_READERS[path.suffix](path)) if path.suffix in _READERS else {}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return {}


def _read_model(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read(RECORD_FILE))


def _read_arrays(path: Path) -> Any:
    import h5py  # noqa: PLC0415  (slow to import, like pandas and Pillow)

    with h5py.File(path) as file:
        texts = {key: value for key, value in file.attrs.items() if isinstance(value, bytes)}
    return {key: value.decode() for key, value in texts.items()}


def _read_table(path: Path) -> Any:
    import pandas as pd  # noqa: PLC0415

    return pd.read_csv(path, nrows=1)


def _read_picture(path: Path) -> Any:
    from PIL import Image  # noqa: PLC0415

    with Image.open(path) as picture:
        return {"lineage": json.loads(picture.info["Lineage"])}


_READERS = {
    ".keras": _read_model,
    ".hdf5": _read_arrays,
    ".csv": _read_table,
    ".png": _read_picture,
    ".json": lambda path: json.loads(path.read_bytes()),
}
