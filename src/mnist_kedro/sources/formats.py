"""Recognize the format of a file by its first bytes, and derive array names from its path."""

import bz2
import gzip
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

_COMPRESSIONS: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
_ZIP = b"PK\x03\x04"
_HDF5 = b"\x89HDF\r\n\x1a\n"
_SIGNATURES = {
    b"\x93NUMPY": "npy",
    b"PAR1": "parquet",
    _HDF5: "hdf5",
    _ZIP: "npz",
    b"\x00\x00\x08": "idx",
    b"7z\xbc\xaf\x27\x1c": "archive",
    b"Rar!\x1a": "archive",
    **dict.fromkeys(_COMPRESSIONS, "archive"),  # compressed twice
    b"\x89PNG": "picture",
    b"\xff\xd8\xff": "picture",
    b"GIF8": "picture",
    b"II*\x00": "picture",
    b"MM\x00*": "picture",
    b"BM": "picture",
    b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19": "torch",  # files of PyTorch before 2020
}
_BY_SUFFIX = {  # for files without signature, and for messages about corrupt files
    "hdf5": "h5 hdf5 hdf he5",
    "npz": "npz",
    "npy": "npy",
    "delimited": "csv tsv",
    "matlab": "mat",
    "pickles": "pkl pickle p pck",
    "parquet": "parquet parq",
}
SUFFIXES = {f".{suffix}": name for name, all_ in _BY_SUFFIX.items() for suffix in all_.split()}
COMPRESSED_SUFFIXES = {".gz", ".bz2", ".xz"}
_IDX_NAME = re.compile(r"[-.]idx\d-ubyte(\.|$)")
_TEXT = re.compile(rb"[\t\n\r -~\x80-\xff]+")
_CELLS = re.compile(rb"[^,;\t\n]*[,;\t]|[-+.0-9eE]+[ \r\n]")


def detect_format(path: Path, named: Path | None = None) -> str | None:
    """Recognize the format of a file, compressed or not, by its content and then by its suffix.

    Args:
        path: path of the file.
        named: the original path, whose suffix counts, if the file is a decompressed copy.

    Returns:
        The name of a module in ``mnist_kedro.readers``, ``npy``, ``npz``, ``idx``, or a key of
        ``ADVICE``; None for anything else.

    Raises:
        OSError: if the file cannot be read.
    """
    suffix = _format_of_name(named or path)
    opener = find_compression(path)
    if opener is not None:
        try:
            with opener(path) as file:
                head, last = file.read(1024), b""
        except (EOFError, OSError, ValueError, zlib.error, lzma.LZMAError) as error:
            if getattr(error, "errno", None):
                raise
            return suffix  # decompressing the corrupt file later reports the fault
    else:
        with path.open("rb") as file:
            if _has_hdf5_signature(file):
                return "hdf5"
            file.seek(0)
            head = file.read(1024)
            file.seek(-min(1, len(head)), 2)
            last = file.read()
        if head.startswith(_ZIP):
            return _detect_zip(path)
    return _detect_head(head, last) or _detect_text(head, suffix)


def _format_of_name(path: Path) -> str | None:
    if _IDX_NAME.search(path.name):
        return "idx"
    return SUFFIXES.get(strip_compression(path).suffix.lower())


def find_compression(path: Path) -> Callable[[Path], Any] | None:
    """Return the function that opens a compressed file; None if the file is not compressed."""
    with path.open("rb") as file:
        head = file.read(8)
    return next((opener for start, opener in _COMPRESSIONS.items() if head.startswith(start)), None)


def _detect_head(head: bytes, last: bytes) -> str | None:
    for signature, name in _SIGNATURES.items():
        if head.startswith(signature):
            return name
    if head[:6] == b"MATLAB" and head[126:128] in {b"IM", b"MI"}:
        return "matlab"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "picture"
    if head[257:262] == b"ustar":
        return "archive"
    is_text_pickle = last == b"." and head.startswith((b"(", b"]", b"}", b"cnumpy", b"ccopy_reg"))
    if is_text_pickle or (head[:1] == b"\x80" and b"\x02" <= head[1:2] <= b"\x05"):
        return "pickles"
    return None


def _detect_text(head: bytes, suffix: str | None) -> str | None:
    if suffix is None and _TEXT.fullmatch(head) and _CELLS.match(head):
        return "delimited"
    return suffix


def _has_hdf5_signature(file: IO[bytes]) -> bool:
    """Search for the signature at bytes 0, 512, 1024, 2048, …, where the HDF5 format allows it."""
    size, offset = file.seek(0, 2), 0
    while offset < size:
        file.seek(offset)
        if file.read(len(_HDF5)) == _HDF5:
            return True
        offset = max(512, 2 * offset)
    return False


def _detect_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except Exception:  # noqa: BLE001  (open_npz reports a corrupt archive)
        return "npz"
    if any(name.endswith(("/data.pkl", "/version")) for name in names):
        return "torch"
    return "npz" if all(name.endswith(".npy") for name in names) else "zip"


def strip_compression(path: Path) -> Path:
    """Remove ``.gz``, ``.bz2`` or ``.xz`` from a path."""
    return path.with_suffix("") if path.suffix.lower() in COMPRESSED_SUFFIXES else path


def stem(path: Path) -> str:
    """Return a file's name without suffixes of formats, with IDX names in their usual spelling."""
    plain = strip_compression(path)
    name = plain.stem if plain.suffix.lower() in SUFFIXES else plain.name
    return re.sub(r"\.(idx\d)", r"-\1", name)
