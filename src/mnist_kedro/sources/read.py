"""Read MNIST from the source set by ``ingestion.source``."""

import logging
import weakref
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import cast

from mnist_kedro.arrays import Rows
from mnist_kedro.contracts import GIVEN, Mnist
from mnist_kedro.digest import sha256
from mnist_kedro.errors import InputError
from mnist_kedro.parameters import IngestionParameters
from mnist_kedro.remote_store import SourceStore, is_remote, public_address
from mnist_kedro.sources.assemble import assemble, hold_out_test, join_validation
from mnist_kedro.sources.canonical import Arrays, is_canonical
from mnist_kedro.sources.content import Splits, check_content, describe_duplicates
from mnist_kedro.sources.contents import Contents, OpenFile
from mnist_kedro.sources.download import download_mnist
from mnist_kedro.sources.files import find_source, open_source, resolve_path
from mnist_kedro.sources.layout import find_layout
from mnist_kedro.sources.remote import find_remote_source, local_copy
from mnist_kedro.sources.sample import HELD_OUT, SAMPLE
from mnist_kedro.validators import check_classes, check_mnist

logger = logging.getLogger(__name__)


def read_mnist(parameters: IngestionParameters, store: SourceStore | None = None) -> Mnist:
    """Read, convert, check and identify MNIST.

    Args:
        parameters: ``source`` is ``auto``, ``download``, ``sample``, or the path or URL of a file
            or folder in a format that ``docs/data.md`` lists. ``auto`` uses the data in
            ``search_folder`` or, if there is none, the download or, if that fails, the sample.
        store: opens URLs such as ``s3://bucket/mnist.hdf5``; by default, without credentials.

    Returns:
        The arrays and their provenance.

    Raises:
        InputError: if the source is missing, cannot be read, or is not MNIST.
    """
    store = store or SourceStore()
    if parameters.remote.sha256 and not is_remote(parameters.source):
        raise InputError(
            "ingestion.remote.sha256 is the digest of a remote file; "
            f"ingestion.source={parameters.source} is not a URL."
        )
    match parameters.source:
        case "auto":
            return _read_first_available(parameters, store)
        case "download":
            return _read_download(parameters)
        case "sample":
            return _read_sample(parameters)
        case source if is_remote(source):
            return _read_remote(source, parameters, store)
        case source:
            return _read_file(resolve_path(source), source, parameters)


def _read_first_available(parameters: IngestionParameters, store: SourceStore) -> Mnist:
    folder = parameters.search_folder
    if is_remote(folder):
        url = find_remote_source(folder, store, parameters.remote)
        if url is not None:
            return _read_remote(url, parameters, store)
    elif (path := find_source(resolve_path(folder))) is not None:
        return _read_file(path, str(path), parameters)
    try:
        return _read_download(parameters, only_if_reachable=True)
    except InputError as error:
        if parameters.keys:
            raise
        logger.warning(
            "%s Using the embedded sample instead: 5,000 of MNIST's 70,000 digits. To use all "
            "digits, put mnist.hdf5 or the IDX files into %s and run again.",
            error,
            public_address(folder),
        )
    return _read_sample(parameters)


def _read_download(parameters: IngestionParameters, *, only_if_reachable: bool = False) -> Mnist:
    _reject_keys(parameters)
    arrays = download_mnist(parameters, only_if_reachable=only_if_reachable)
    return _describe(arrays, _digests(arrays), source="download", layout="IDX files")


def _read_sample(parameters: IngestionParameters) -> Mnist:
    _reject_keys(parameters)
    mnist = _read_file(SAMPLE, "sample", parameters)
    mnist["test_split"] = HELD_OUT
    return mnist


def _read_remote(url: str, parameters: IngestionParameters, store: SourceStore) -> Mnist:
    """Read MNIST from a local copy of a remote file or folder; keep the copy while it is open."""
    with ExitStack() as stack:
        path = stack.enter_context(local_copy(url, store, parameters.remote))
        mnist = _read_file(path, public_address(url), parameters)
        for array in mnist.values():
            if isinstance(array, Rows):
                weakref.finalize(array.keep, stack.pop_all().close)
    return mnist


def _read_file(path: Path, source: str, parameters: IngestionParameters) -> Mnist:
    """Read MNIST from a file or folder; keep it open if it has too many images for memory."""
    try:
        file = OpenFile(open_source(path, parameters.max_digits))
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read ({error.strerror}).") from error
    with ExitStack() as stack:
        stack.callback(file.close)
        mnist = read_contents(file.contents, source, parameters, trusted=path == SAMPLE)
        for array in mnist.values():
            if isinstance(array, Rows):  # read from the file when the dataset is saved
                array.keep = file
                stack.pop_all()
    return mnist


def read_contents(
    contents: Contents, source: str, parameters: IngestionParameters, *, trusted: bool = False
) -> Mnist:
    """Read, convert and check the digits of an open file; hold out a test split if there is none.

    Args:
        contents: the contents of the file.
        source: the name of the file in the provenance.
        parameters: the parameters ``ingestion``.
        trusted: skip the comparison with real digits, which the canonical MNIST skips, too.

    Raises:
        InputError: if the file does not hold MNIST, or the user must resolve an ambiguity.
    """
    keys = parameters.keys.model_dump(exclude_none=True) if parameters.keys else None
    where = str(contents.path)
    layout = find_layout(contents, keys)
    splits, conversions, warnings = assemble(layout, where, parameters)
    arrays = _arrays(splits)
    digests = _digests(arrays) if "test" in splits else {}
    if not (trusted or is_canonical(digests)):
        checked = check_content(splits, where, parameters)
        splits, conversions = checked.splits, [*conversions, *checked.conversions]
        warnings = [*warnings, *checked.warnings]
        if checked.conversions:
            arrays, digests = _arrays(splits), {}
    if not parameters.allow_missing_classes:
        check_classes(arrays, where)
    test_split = GIVEN
    if "test" not in splits:
        splits, test_split = hold_out_test(splits, where, parameters)
        arrays = _arrays(splits)
    check_mnist(arrays, where)
    digests = digests or _digests(arrays)
    if not (trusted or is_canonical(digests)):
        warnings = [*warnings, *describe_duplicates(arrays)]
    return _describe(
        arrays,
        digests,
        source=source,
        layout=contents.form or layout.name,
        conversions="; ".join(conversions) or "none",
        test_split=test_split,
        warnings="; ".join(warnings) or "none",
    )


def _arrays(splits: Splits) -> Arrays:
    """Return the arrays of the training split (with the validation digits) and the test split."""
    joined = join_validation(splits)
    return {
        f"{role}_{split}": array
        for split, pair in joined.items()
        for role, array in zip("xy", pair, strict=True)
    }


def _digests(arrays: Arrays) -> dict[str, str]:
    return {key: sha256(array) for key, array in arrays.items()}


def _describe(arrays: Arrays, digests: Mapping[str, str], **origin: str) -> Mnist:
    """Add the provenance to the arrays."""
    mnist = {
        **arrays,
        "conversions": "none",
        "test_split": GIVEN,
        "warnings": "none",
        **origin,
        "canonical_mnist": is_canonical(digests),
        **{f"sha256_{key}": value for key, value in digests.items()},
    }
    return cast("Mnist", mnist)


def _reject_keys(parameters: IngestionParameters) -> None:
    if parameters.keys:
        raise InputError(
            "ingestion.keys selects arrays of your own file; expected its path as "
            f"ingestion.source, found {parameters.source}; set the path, or remove the keys."
        )
