"""Save and load arrays in a versioned HDF5 file."""

import base64
import filecmp
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
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
from mnist_kedro.datasets.atomic_filesystem import NewFile, new_file
from mnist_kedro.datasets.local_copies import LocalCopies
from mnist_kedro.digest import bytes_of, sha256
from mnist_kedro.versions import latest_version

_PLAIN_TYPES = (str, bool, int, float, np.generic)  # types of values saved as attributes
_DIGEST_KEY = "sha256"  # the name of an attribute of each array
_CHUNK_BYTES = 2**18  # the smallest read of a lazy array: about 330 digits
_CHUNKS_PER_WRITE = 32
_METADATA_BYTES = 2**16  # reserved for HDF5's metadata
_REMEDY = "create the file again or load an earlier version with --load-versions"
_BLOCK_BYTES = 2**16  # per request to a remote store, when only the metadata is read

_Description = tuple[tuple[int, ...], np.dtype, tuple[int, ...] | None]  # shape, dtype, chunks


class LazyArray(Rows):
    """An array in an HDF5 file, read when it is sliced or converted to a NumPy array.

    The object holds no open file, so it can be pickled and sent to another process.
    """

    def __init__(
        self,
        dataset: "HDF5Dataset",
        path: str,
        key: str,
        shape: tuple[int, ...],
        dtype: np.dtype,
        chunks: tuple[int, ...] | None,
    ) -> None:
        super().__init__(shape, dtype, self._read_rows)
        self._dataset = dataset
        self._path = path
        self._key = key
        if chunks:
            self.chunk = chunks[0]

    def _read_rows(self, start: int, stop: int) -> np.ndarray:
        with self._dataset.open(self._path, self._key) as file:
            return file[self._key][start:stop]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        with self._dataset.open(self._path, self._key) as file:
            array = file[self._key][()]
        # The array is always a new one, so ``copy`` makes no difference.
        return array if dtype is None else array.astype(dtype, copy=False)

    def __repr__(self) -> str:
        return f"LazyArray({self._path}:{self._key}, shape={self.shape}, dtype={self.dtype})"


class HDF5Dataset(AbstractVersionedDataset[Mapping[str, Any], dict[str, Any]]):
    """Save a mapping of arrays and plain values to an HDF5 file, and load it.

    Arrays become HDF5 datasets, plain values (``str``, ``bool``, ``int``, ``float`` and NumPy
    scalars) become attributes of the file. A key with ``/`` puts the array into a group. Text is
    stored as fixed-length UTF-8; plain h5py returns it as bytes.

    Arrays are chunked along their first axis, so that slices are read quickly. Corruption is
    detected on load: chunks have Fletcher-32 checksums, the metadata has the checksums of newer
    HDF5 formats (readable since HDF5 1.10, 2016), and each array has a SHA-256 digest, which is
    checked unless ``lazy`` is set. To save an array larger than memory, pass it as
    :class:`~mnist_kedro.arrays.Rows`; it is written chunk by chunk. To load it, set ``lazy``.
    Files are written atomically. Remote files are copied to a temporary folder when an array is
    read, by :class:`~mnist_kedro.datasets.local_copies.LocalCopies`.

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
        """Create a dataset for one file.

        Args:
            filepath: path of the file, with a protocol such as ``s3://`` if it is not local.
            lazy: load :class:`LazyArray` objects, which are read on access, instead of NumPy
                arrays.
            save_args: options of ``h5py.Group.create_dataset`` for every array, such as
                ``compression: gzip``.
            version: the versions to load and save, if the dataset is versioned.
            credentials: credentials of the fsspec file system.
            fs_args: options of the fsspec file system; its keys ``open_args_load`` and
                ``open_args_save`` hold the options for opening remote files.
            metadata: ignored by Kedro; Kedro-Viz reads the layer and the preview arguments from it.
        """
        protocol, path = get_protocol_and_path(filepath, version)
        fs_args = deepcopy(fs_args) or {}
        self._open_args_load = {"block_size": _BLOCK_BYTES, **fs_args.pop("open_args_load", {})}
        self._open_args_save = fs_args.pop("open_args_save", {})
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
        """Load all arrays and plain values as a dictionary with the keys of the saved mapping.

        Raises:
            DatasetError: if the file is missing or corrupt.
        """
        path = self._load_path()
        if self._version is None:  # another process may have replaced the file
            self._copies.clear()
        arrays, attributes = self._describe_content(path)
        content: dict[str, Any] = {
            key: LazyArray(self, path, key, *description) for key, description in arrays.items()
        }
        if not self._lazy:
            content = {key: self._read_whole(path, key) for key in content}
        return content | attributes

    def attributes(self) -> dict[str, Any]:
        """Load only the plain values.

        Raises:
            DatasetError: if the file is missing or corrupt.
        """
        return self._describe_content(self._load_path())[1]

    def _describe_content(self, path: str) -> tuple[dict[str, _Description], dict[str, Any]]:
        """Return descriptions of the arrays, and the plain values, without copying the file."""
        if self._protocol == "file":
            with _report_corruption(path):
                return _describe_content(path)

        def describe() -> tuple[dict[str, _Description], dict[str, Any]]:
            with (
                _report_corruption(path),
                self._fs.open(path, "rb", **self._open_args_load) as file,
            ):
                return _describe_content(file)

        # HDF5 swallows a KeyboardInterrupt that is raised in the file's methods. Python raises it
        # only in the main thread, so read in another thread.
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(describe).result()

    def _read_whole(self, path: str, key: str) -> Any:
        with self.open(path, key) as file:
            array, expected = file[key][()], _to_python(file[key].attrs.get(_DIGEST_KEY))
        if expected not in (None, sha256(array)):
            raise DatasetError(
                f"{path}: '{key}' was changed after it was saved (SHA-256 differs); {_REMEDY}."
            )
        return array

    def save(self, data: Mapping[str, Any]) -> None:
        """Save arrays and plain values; the file appears when it is complete.

        On a local disk, a version whose content equals that of the latest version becomes a hard
        link to the latest file.

        Raises:
            DatasetError: if the disk is full, or an array is masked.
        """
        path = get_filepath_str(self._get_save_path(), self._protocol)
        if self._protocol == "file":
            latest = latest_version(Path(self._filepath))  # before the new version exists
            with new_file(Path(path)) as new:
                self._write(new, data)
                if self._version:
                    _link_if_equal(new.path, latest)
        else:
            with tempfile.TemporaryDirectory(prefix="mnist_kedro_") as folder:
                with new_file(Path(folder, "new.hdf5")) as new:
                    self._write(new, data)
                self._fs.put_file(str(Path(folder, "new.hdf5")), path, **self._open_args_save)
        self._invalidate_cache()

    def _write(self, new: NewFile, data: Mapping[str, Any]) -> None:
        def reserve(more_bytes: int) -> None:
            """Reserve space, because HDF5 crashes the process when the disk becomes full."""
            file.flush()
            new.reserve(file.id.get_filesize(), more_bytes + _METADATA_BYTES)

        new.reserve(0, _METADATA_BYTES)
        with _create_file(new.path) as file:
            for key, value in data.items():
                if isinstance(value, _PLAIN_TYPES):
                    file.attrs[key] = _to_attribute(value)
                else:
                    self._write_array(file, key, value, reserve)
                reserve(0)
            size = file.id.get_filesize()
        os.truncate(new.path, min(size, new.path.stat().st_size))

    def _write_array(
        self, file: h5py.File, key: str, value: Any, reserve: Callable[[int], None]
    ) -> None:
        if isinstance(value, np.ma.MaskedArray):
            raise DatasetError(
                f"'{key}' is a masked array, and HDF5 has no masks: save value.filled(…), or "
                "value.data and value.mask as two arrays."
            )
        array = value if isinstance(value, Rows) else np.asarray(value)
        if not array.ndim or 0 in array.shape:
            stored = file.create_dataset(key, data=np.asarray(array))
            stored.attrs[_DIGEST_KEY] = _to_attribute(sha256(np.asarray(array)))
            return
        digest = hashlib.sha256()
        chunk = max(1, min(len(array), _CHUNK_BYTES // max(1, array[:1].nbytes)))
        chunks = (chunk, *array.shape[1:])
        stored = file.create_dataset(
            key, array.shape, array.dtype, chunks=chunks, **self._save_args
        )
        for start, block in blocks(array, _CHUNKS_PER_WRITE * chunk):
            reserve(-(-len(block) // chunk) * chunk * block[:1].nbytes)  # HDF5 writes whole chunks
            stored[start : start + len(block)] = block
            digest.update(bytes_of(block))
        stored.attrs[_DIGEST_KEY] = _to_attribute(digest.hexdigest())

    @contextmanager
    def open(self, path: str, key: str | None = None) -> Iterator[h5py.File]:
        """Open a file for reading; close it when the ``with`` block ends.

        A remote file is copied to this machine when it is opened for the first time.

        Args:
            path: path of the file on this dataset's file system.
            key: key of the array to be read, for error messages.

        Raises:
            DatasetError: if the file is corrupt, or reading from it fails while it is open.
        """
        local = path if self._protocol == "file" else self._copies.get(path)
        with _report_corruption(path, key), h5py.File(local, "r") as file:
            yield file

    def preview(self, images: str, labels: str, rows: int = 6, columns: int = 8) -> ImagePreview:
        """Draw the first images with their labels, for Kedro-Viz.

        Args:
            images: key of an array ``(n, height, width)`` or ``(n, height, width, 1)``.
            labels: key of an array ``(n,)``.
            rows: number of rows of the grid.
            columns: number of columns of the grid.

        Returns:
            A base64-encoded PNG.
        """
        from mnist_kedro.plots.digits import digit_grid  # noqa: PLC0415  (Matplotlib is slow to import)

        with self.open(self._load_path()) as file:
            count = rows * columns
            figure = digit_grid(
                file[images][:count], [str(label) for label in file[labels][:count]], columns
            )
        png = BytesIO()
        figure.savefig(png, format="png")
        return ImagePreview(base64.b64encode(png.getvalue()).decode("ascii"))

    def _load_path(self) -> str:
        return get_filepath_str(self._get_load_path(), self._protocol)

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
            return self._fs.exists(self._load_path())
        except DatasetError:
            return False

    def _release(self) -> None:
        super()._release()
        self._invalidate_cache()

    def _invalidate_cache(self) -> None:
        self._copies.clear()
        self._fs.invalidate_cache(get_filepath_str(self._filepath, self._protocol))


@contextmanager
def _report_corruption(path: str, key: str | None = None) -> Iterator[None]:
    """Raise a DatasetError instead of the exceptions that a corrupt file causes."""
    try:
        yield
    except (FileNotFoundError, PermissionError, DatasetError):
        raise
    except (OSError, RuntimeError, KeyError, UnicodeDecodeError) as error:
        failed = f", cannot read '{key}'" if key else ""
        # If Python collects garbage at this moment, the error message of h5py 3.14 is garbled.
        garbled = isinstance(error, UnicodeDecodeError)
        reason = "" if garbled else f" ({' '.join(str(error).split())})"
        raise DatasetError(f"{path}: corrupt HDF5 file{failed}{reason}; {_REMEDY}.") from error


def _create_file(path: Path) -> h5py.File:
    """Create a reproducible file: unlike HDF5's default, do not save time stamps."""
    creation = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    creation.set_obj_track_times(False)
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    # The format of HDF5 1.10 has checksums for its metadata.
    access.set_libver_bounds(h5py.h5f.LIBVER_V110, h5py.h5f.LIBVER_V110)
    return h5py.File(h5py.h5f.create(os.fsencode(path), h5py.h5f.ACC_TRUNC, creation, access))


def _link_if_equal(new: Path, latest: Path) -> None:
    """Replace a new file with a hard link to the latest version if their bytes are equal."""
    if not latest.is_file() or not filecmp.cmp(new, latest, shallow=False):
        return
    link = new.with_suffix(".link.tmp")
    try:
        os.link(latest, link)
    except OSError:  # a file system without hard links
        return
    link.replace(new)


def _describe_content(source: Any) -> tuple[dict[str, _Description], dict[str, Any]]:
    """Describe the arrays of a file, including those in groups, and load the plain values."""
    arrays: dict[str, _Description] = {}

    def describe(key: str, item: h5py.Dataset | h5py.Group) -> None:
        if isinstance(item, h5py.Dataset):
            arrays[key] = item.shape, item.dtype, item.chunks

    with h5py.File(source, "r") as file:
        file.visititems(describe)
        return arrays, {key: _to_python(value) for key, value in file.attrs.items()}


def _to_attribute(value: Any) -> Any:
    """Convert text to fixed length, because HDF5 has no checksums for text of variable length."""
    if not isinstance(value, str):
        return value
    encoded = value.encode()
    return np.array(encoded, h5py.string_dtype("utf-8", max(1, len(encoded))))


def _to_python(value: Any) -> Any:
    """Convert a value that h5py returned to a plain Python value."""
    if isinstance(value, bytes):
        return value.decode()
    return value.item() if isinstance(value, np.generic) else value
