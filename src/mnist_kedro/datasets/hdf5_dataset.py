"""A versioned Kedro dataset for arrays in an HDF5 file."""

import base64
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

import fsspec
import h5py
import numpy as np
from kedro.io.core import (
    AbstractVersionedDataset,
    DatasetError,
    Version,
    get_filepath_str,
    get_protocol_and_path,
)
from kedro_datasets._typing import ImagePreview

from mnist_kedro.arrays import Rows, blocks
from mnist_kedro.datasets.disk_space import Shield
from mnist_kedro.datasets.interrupts import interrupts_postponed
from mnist_kedro.datasets.local_copies import LocalCopies
from mnist_kedro.digest import bytes_of, sha256
from mnist_kedro.versions import latest_version

_PLAIN = (str, bool, int, float, np.generic)  # values that become attributes
_CHECKSUMMED = ("v110", "v110")  # the file format of HDF5 1.10, whose metadata carry checksums
_DIGEST = "sha256"  # an attribute of each array
_CHUNK_BYTES = 2**18  # read at once by a lazy slice: some 330 digits
_CHUNKS = 32  # written at once
_SPOOLED_BYTES = 2**26  # put together in memory, at most, for a file system that is not local
_AHEAD_BYTES = 2**16  # asked of such a one at once, where no array is read whole


class LazyArray(Rows):
    """An array in an HDF5 file, read when it is sliced or turned into a NumPy array.

    It holds no open file, so it can be pickled and sent to another process.
    """

    def __init__(self, dataset: "HDF5Dataset", path: str, key: str, like: h5py.Dataset) -> None:
        super().__init__(like.shape, like.dtype, self._read_rows)
        self._dataset = dataset
        self._path = path
        self._key = key
        if like.chunks:
            self.chunk = like.chunks[0]

    def _read_rows(self, start: int, stop: int) -> np.ndarray:
        with self._dataset.open(self._path, self._key) as file:
            return file[self._key][start:stop]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        with self._dataset.open(self._path, self._key) as file:
            array = file[self._key][()]
        return array if dtype is None else array.astype(dtype, copy=False)

    def __repr__(self) -> str:
        return f"LazyArray({self._path}:{self._key}, shape={self.shape}, dtype={self.dtype})"


class HDF5Dataset(AbstractVersionedDataset[Mapping[str, Any], dict[str, Any]]):
    """``HDF5Dataset`` saves a mapping to one HDF5 file and loads it again.

    Arrays become HDF5 datasets, plain values (``str``, ``bool``, ``int``, ``float``) become
    attributes of the file. A key may contain ``/``: the array then lies in a group. Text is UTF-8
    of a fixed length, which h5py alone gives as bytes.

    Arrays are cut into chunks along their first axis, so that slices are read quickly. Damage is
    found when it is read: the chunks carry Fletcher-32 checksums, all else those of HDF5's newer
    formats (HDF5 1.10, 2016, reads them), and whole arrays a SHA-256 digest. Arrays that are larger
    than memory are saved as :class:`~mnist_kedro.arrays.Rows`, some chunks at a time, and loaded
    with ``lazy``. The file has its name when it is whole, and not before. A file that is not local
    is fetched to a temporary one when an array is read, see
    :class:`~mnist_kedro.datasets.local_copies.LocalCopies`.

    Example for ``catalog.yml``:

    ```yaml
    train:
      type: mnist_kedro.datasets.HDF5Dataset
      filepath: data/05_model_input/train.hdf5
      versioned: true
      lazy: true
      save_args:
        compression: lzf
      metadata:
        kedro-viz:
          preview_args:
            images: images
            labels: labels
    ```
    """

    DEFAULT_SAVE_ARGS: ClassVar[dict[str, Any]] = {"fletcher32": True}

    def __init__(
        self,
        *,
        filepath: str,
        lazy: bool = False,
        save_args: dict[str, Any] | None = None,
        version: Version | None = None,
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Creates a new instance of ``HDF5Dataset``.

        Args:
            filepath: path of the file, with a protocol like ``s3://`` if it is not local.
            lazy: load :class:`LazyArray` objects, which read when they are used, instead of
                NumPy arrays.
            save_args: options of ``h5py.Group.create_dataset`` for every array, for instance
                ``compression: gzip``.
            version: the versions to load and save, when versioned.
            credentials: for the file system.
            fs_args: options of the fsspec file system.
            metadata: ignored by Kedro; Kedro-Viz reads its layer and preview arguments here.
        """
        protocol, path = get_protocol_and_path(filepath, version)
        fs_args = deepcopy(fs_args) or {}
        if protocol == "file":
            fs_args.setdefault("auto_mkdir", True)
        self._protocol = protocol
        self._fs = fsspec.filesystem(protocol, **(deepcopy(credentials) or {}), **fs_args)
        self._copies = LocalCopies(self._fs)
        self._lazy = lazy
        self._save_args = {**self.DEFAULT_SAVE_ARGS, **(save_args or {})}
        self.metadata = metadata
        super().__init__(
            filepath=PurePosixPath(path),
            version=version,
            exists_function=self._fs.exists,
            glob_function=self._fs.glob,
        )

    def load(self) -> dict[str, Any]:
        """Read arrays and attributes under the keys they were saved with.

        Raises:
            DatasetError: when the file is missing or damaged.
        """
        path = get_filepath_str(self._get_load_path(), self._protocol)
        if self._version is None:  # another process may have replaced it
            self._copies.forget()
        content: dict[str, Any]
        with self._without_copy(path) as file:
            content = {
                key: LazyArray(self, path, key, stored)
                for key, stored in _datasets_of(file).items()
            }
        if not self._lazy:
            content = {key: self._read_whole(path, key) for key in content}
        return content | self.attributes()

    def attributes(self) -> dict[str, Any]:
        """The plain values alone, without any array.

        Raises:
            DatasetError: as :meth:`load`.
        """
        with self._without_copy(get_filepath_str(self._get_load_path(), self._protocol)) as file:
            return {key: _plain(value) for key, value in file.attrs.items()}

    def _read_whole(self, path: str, key: str) -> Any:
        with self.open(path, key) as file:
            array, expected = file[key][()], _plain(file[key].attrs.get(_DIGEST))
        if expected not in (None, sha256(array)):
            raise DatasetError(f"{path}: '{key}' is not what was saved (its digest differs).")
        return array

    def save(self, data: Mapping[str, Any]) -> None:
        """Write arrays and attributes; the file appears when it is complete.

        On a local disk, a version whose content equals the latest one's is a hard link to it.

        Raises:
            DatasetError: if the disk is full, or is going to be.
        """
        path = get_filepath_str(self._get_save_path(), self._protocol)
        if self._protocol == "file":
            if self._version and self._link_to_latest(path, data):
                return
            with self._fs.open(path, mode="w+b") as target:
                self._write(target, data)
        else:  # which take a file from its beginning to its end alone
            with (
                tempfile.SpooledTemporaryFile(_SPOOLED_BYTES) as spool,
                self._fs.open(path, mode="wb") as target,
            ):
                self._write(spool, data)
                spool.seek(0)
                shutil.copyfileobj(spool, target)
        self._invalidate_cache()

    def _link_to_latest(self, path: str, data: Mapping[str, Any]) -> bool:
        """Link a path to the latest version if that has the same content, and is not corrupt."""
        latest = latest_version(Path(self._filepath))
        if not latest.is_file() or not self._holds(str(latest), data):
            return False
        try:
            self._fs.link(str(latest), path)
        except OSError:  # a file system without hard links, or another run saved this version
            return False
        return True

    def _holds(self, path: str, data: Mapping[str, Any]) -> bool:
        """Return whether a file holds these values, stored as this dataset stores them."""
        arrays = {key: value for key, value in data.items() if not isinstance(value, _PLAIN)}
        plain = {key: data[key] for key in data if key not in arrays}
        try:
            with self.open(path) as file:
                return (
                    _typed(file.attrs) == _typed(plain)
                    and _datasets_of(file).keys() == arrays.keys()
                    and all(self._is_stored(file[key], array) for key, array in arrays.items())
                )
        except DatasetError:
            return False

    def _is_stored(self, stored: h5py.Dataset, value: Any) -> bool:
        array = value if isinstance(value, Rows) else np.asarray(value)
        if (stored.shape, stored.dtype) != (array.shape, array.dtype):
            return False
        if not stored.chunks:
            return np.array_equal(stored[()], np.asarray(array))
        return stored.compression == self._save_args.get("compression") and all(
            np.array_equal(stored[start : start + len(block)], block)
            for start, block in blocks(array, _CHUNKS * stored.chunks[0])
        )

    def _write(self, target: Any, data: Mapping[str, Any]) -> None:
        shield = Shield(target)
        with (
            interrupts_postponed() as deliver_interrupts,
            h5py.File(shield, "w", libver=_CHECKSUMMED) as file,
        ):
            for key, value in data.items():
                if isinstance(value, _PLAIN):
                    file.attrs[key] = _stored(value)
                else:
                    self._write_array(file, key, value, shield, deliver_interrupts)
                    shield.check()
        shield.check()

    def _write_array(
        self,
        file: h5py.File,
        key: str,
        value: Any,
        shield: Shield,
        deliver_interrupts: Callable[[], None],
    ) -> None:
        array = value if isinstance(value, Rows) else np.asarray(value)
        if not array.ndim or 0 in array.shape:
            stored = file.create_dataset(key, data=np.asarray(array))
            stored.attrs[_DIGEST] = _stored(sha256(np.asarray(array)))
            return
        digest = hashlib.sha256()
        chunk = max(1, min(len(array), _CHUNK_BYTES // max(1, array[:1].nbytes)))
        stored = file.create_dataset(
            key,
            array.shape,
            array.dtype,
            chunks=(chunk, *array.shape[1:]),
            **self._save_args,
        )
        before = shield.size  # bytes
        for start, block in blocks(array, _CHUNKS * chunk):
            done = start + len(block)
            stored[start:done] = block
            digest.update(bytes_of(block))
            rest = (shield.size - before) * (len(array) - done) // done
            deliver_interrupts()
            shield.check(expected=2 * rest // 3)  # for it may be packed better than what came first
        stored.attrs[_DIGEST] = _stored(digest.hexdigest())

    @contextmanager
    def open(self, path: str, key: str | None = None) -> Iterator[h5py.File]:
        """Open a file of this dataset's file system for reading, and close it again.

        A file that is not local is copied to this machine, once.

        Args:
            path: of the file.
            key: of what is going to be read, for a message.

        Raises:
            DatasetError: when the file turns out to be damaged, also while it is open.
        """
        local = path if self._protocol == "file" else self._copies.get(path)
        with _damage_told(path, key), h5py.File(local, "r") as file:
            yield file

    @contextmanager
    def _without_copy(self, path: str) -> Iterator[h5py.File]:
        """The same without a copy: for what describes the arrays, or few of their rows."""
        with ExitStack() as stack:
            stack.enter_context(_damage_told(path))
            source: Any = path
            if self._protocol != "file":
                source = stack.enter_context(self._fs.open(path, "rb", block_size=_AHEAD_BYTES))
                stack.enter_context(interrupts_postponed())
            yield stack.enter_context(h5py.File(source, "r"))

    def preview(self, images: str, labels: str, rows: int = 6, columns: int = 8) -> ImagePreview:
        """Draw the first images with their labels, for Kedro-Viz.

        Args:
            images: key of an array ``(n, height, width)`` or ``(n, height, width, 1)``.
            labels: key of an array ``(n,)``.
            rows: rows of the grid.
            columns: columns of the grid.

        Returns:
            A PNG in base64.
        """
        from mnist_kedro.plots.digits import digit_grid  # noqa: PLC0415  (Matplotlib is slow to import)

        with self._without_copy(get_filepath_str(self._get_load_path(), self._protocol)) as file:
            count = rows * columns
            figure = digit_grid(
                file[images][:count], [str(label) for label in file[labels][:count]], columns
            )
        png = BytesIO()
        figure.savefig(png, format="png", dpi=100)
        return ImagePreview(base64.b64encode(png.getvalue()).decode("ascii"))

    def _describe(self) -> dict[str, Any]:
        return {
            "filepath": self._filepath,
            "protocol": self._protocol,
            "lazy": self._lazy,
            "save_args": self._save_args,
            "version": self._version,
        }

    def _exists(self) -> bool:
        try:
            load_path = get_filepath_str(self._get_load_path(), self._protocol)
        except DatasetError:
            return False
        return self._fs.exists(load_path)

    def _release(self) -> None:
        super()._release()
        self._invalidate_cache()

    def _invalidate_cache(self) -> None:
        self._copies.forget()
        self._fs.invalidate_cache(get_filepath_str(self._filepath, self._protocol))


@contextmanager
def _damage_told(path: str, key: str | None = None) -> Iterator[None]:
    """What HDF5 says of damage, as :meth:`HDF5Dataset.open` says it."""
    try:
        yield
    except (FileNotFoundError, PermissionError, DatasetError):
        raise
    except (OSError, RuntimeError, KeyError, UnicodeDecodeError) as error:
        what = f"'{key}' in a damaged HDF5 file" if key else "damaged HDF5 file"
        # h5py 3.14 may read HDF5's reason only after it is gone: when Python collects garbage.
        garbled = isinstance(error, UnicodeDecodeError)
        reason = "" if garbled else f" ({' '.join(str(error).split())})"
        raise DatasetError(
            f"{path}: {what}; make it again, or name an earlier version with --load-versions"
            f"{reason}."
        ) from error


def _datasets_of(file: h5py.File) -> dict[str, h5py.Dataset]:
    """Return the datasets of a file and of its groups, by their paths."""
    datasets: dict[str, h5py.Dataset] = {}

    def collect(key: str, item: h5py.Dataset | h5py.Group) -> None:
        if isinstance(item, h5py.Dataset):
            datasets[key] = item

    file.visititems(collect)
    return datasets


def _stored(value: Any) -> Any:
    """The value of an attribute: text of a fixed length, for HDF5 keeps any other unchecked."""
    if not isinstance(value, str):
        return value
    encoded = value.encode()
    return np.array(encoded, h5py.string_dtype("utf-8", max(1, len(encoded))))


def _typed(values: Mapping[str, Any]) -> dict[str, tuple[type, Any]]:
    """Return Python values with their types, so that ``True`` does not equal ``1``."""
    plain = {key: _plain(value) for key, value in values.items()}
    return {key: (type(value), value) for key, value in plain.items()}


def _plain(value: Any) -> Any:
    """A Python value for what h5py reads."""
    if isinstance(value, bytes):
        return value.decode()
    return value.item() if isinstance(value, np.generic) else value
