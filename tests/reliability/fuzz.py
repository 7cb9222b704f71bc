"""Damage files at random and ingest them; nothing crashes, hangs, or passes for what it is not.

    python -m tests.reliability.fuzz --times 20000

Each file is read by ``read_mnist`` in a child of this process. In it the canonical MNIST is the few
digits that the files hold, so that a damaged file could pass for it.
"""

import faulthandler
import gzip
import io
import math
import multiprocessing
import os
import pickle
import random
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from scipy.io import savemat
from tqdm import tqdm

from mnist_kedro.digest import sha256
from mnist_kedro.errors import InputError
from mnist_kedro.readers import __main__ as readers
from mnist_kedro.sources import canonical, child_process, read_mnist
from mnist_kedro.sources.idx import FILES
from mnist_kedro.sources.layout import KEYS
from tests.reliability.runs import report
from tests.support.files import idx_bytes, parquet_bytes, png_bytes, table_bytes, write_mnist
from tests.support.parameters import ingestion

SECONDS = 10.0  # a file may take


def fuzz(files: int, seed: int, seconds: float = math.inf) -> Counter[str]:
    """Ingest so many damaged files, or as many as can be in so many seconds.

    Returns:
        How many were read as what, or refused for which reason.

    Raises:
        AssertionError: naming the seeds of the files that went wrong.
    """
    outcomes: Counter[str] = Counter()
    wrong: list[str] = []
    context = multiprocessing.get_context("spawn")
    waiting = list(range(seed, seed + files))[::-1]
    with tempfile.TemporaryDirectory() as folder:
        workers = [_Worker(context, Path(folder) / str(i)) for i in range(os.cpu_count() or 1)]
        end = time.monotonic() + seconds
        progress = tqdm(total=files, desc="files", disable=None)
        while waiting or any(worker.busy for worker in workers):
            if time.monotonic() > end:
                waiting.clear()
            for worker in workers:
                outcome = worker.poll()
                if outcome:
                    progress.update()
                    outcomes[outcome] += 1
                    if outcome.isupper():
                        wrong.append(f"{outcome} {worker.number}")
                if not worker.busy and waiting:
                    worker.start(waiting.pop())
            time.sleep(0.001)
        for worker in workers:
            worker.close()
    assert not wrong, wrong
    return outcomes


class _Worker:
    """A child that ingests one file after another; another one takes its place if it dies."""

    def __init__(self, context: Any, folder: Path) -> None:
        self._context, self._folder = context, folder
        self.busy, self.number = False, -1
        self._open()

    def _open(self) -> None:
        self._pipe, end = self._context.Pipe()
        self._process = self._context.Process(target=_serve, args=(end, self._folder), daemon=True)
        self._process.start()
        self._pipe.recv()

    def start(self, number: int) -> None:
        """Ingest the file of that number."""
        self.busy, self.number, self._since = True, number, time.monotonic()
        self._pipe.send(number)

    def poll(self) -> str | None:
        """What came of the file, in capitals if it should not have come; None if it goes on."""
        if not self.busy:
            return None
        if self._pipe.poll():
            try:
                outcome = self._pipe.recv()
            except EOFError:
                outcome = "CRASHED"
        elif time.monotonic() - self._since > SECONDS:
            outcome = "HUNG"
        else:
            return None
        self.busy = False
        if outcome in {"CRASHED", "HUNG"}:
            self.close()
            self._open()
        return outcome

    def close(self) -> None:
        """End the child."""
        self._process.kill()
        self._process.join()


class _ForkedChild:
    """In the place of ``subprocess.Popen``: the process that reads a file, forked from this one.

    It does the same, but has imported the libraries already: 20 times as many files in the same
    time.
    """

    def __init__(self, *_: object, **__: object) -> None:
        questions, answers = os.pipe(), os.pipe()
        self._pid = os.fork()
        if not self._pid:
            os.dup2(questions[0], 0)
            os.dup2(answers[1], 1)
            os.closerange(3, 256)
            sys.stdin, sys.stdout = io.TextIOWrapper(open(0, "rb")), io.TextIOWrapper(open(1, "wb"))  # noqa: SIM115
            readers.main()
            os._exit(0)
        os.close(questions[0])
        os.close(answers[1])
        self.stdin, self.stdout = os.fdopen(questions[1], "wb"), os.fdopen(answers[0], "rb")

    def kill(self) -> None:
        """Kill it."""
        os.kill(self._pid, signal.SIGKILL)

    def wait(self) -> int:
        """Return a status that is not that of a child that ran out of memory."""
        return 0

    def communicate(self) -> None:
        """Close its ends and see it off."""
        with suppress(BrokenPipeError):
            self.stdin.close()
        self.stdout.close()
        os.waitpid(self._pid, 0)


def _serve(pipe: Any, folder: Path) -> None:
    faulthandler.disable()  # crashes of HDF5 are what is looked for
    folder.mkdir(exist_ok=True)
    makers = good_files()
    for name in child_process.NAMES:
        import_module(f"mnist_kedro.readers.{name}")
    child_process.subprocess.Popen = _ForkedChild
    pipe.send("ready")
    while True:
        pipe.send(_outcome(makers, folder, pipe.recv()))


def _outcome(makers: list[Callable[[Path], Path]], folder: Path, number: int) -> str:
    chance = random.Random(number)
    for old in folder.rglob("*"):
        if old.is_file():
            old.unlink()
    path = chance.choice(makers)(folder)
    inside = sorted(file for file in path.rglob("*") if file.is_file())
    damaged = chance.choice(inside) if inside else path
    damaged.write_bytes(damage(damaged.read_bytes(), chance))
    try:
        mnist = read_mnist(ingestion(path, max_digits=1000, test_fraction=0.25))
    except InputError as error:
        told = str(error)
        return "NOT ONE LINE" if "\n" in told or str(folder) not in told else _reason(told)
    except Exception:  # noqa: BLE001
        return "ANOTHER EXCEPTION"
    same = all(sha256(mnist[key]) == canonical.DIGESTS[key] for key in KEYS)
    if mnist["canonical_mnist"]:
        return "read: the same digits" if same else "WRONG DIGITS TAKEN FOR CANONICAL"
    return "read: other digits, and said so"


def _reason(message: str) -> str:
    """A message without what is particular to the file."""
    text = re.sub(r"^\S+: ", "", message)
    text = re.sub(r"'[^']*'|\(.*\)|[-\d.,]+", "…", text)
    return f"refused: {text[:60]}"


def damage(content: bytes, chance: random.Random) -> bytes:
    """Flip, overwrite, repeat, remove, insert or cut bytes; more often near the beginning."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        size = len(data)
        near = chance.random() < 0.7
        start = int(chance.random() ** (4 if near else 1) * size)
        stop = start + chance.choice([1, 2, 4, 8, 64])
        other = chance.randrange(size + 1)
        number = chance.choice([0, 2**31, 2**32 - 1, 2**63, 2**64 - 1, size, size * 2])
        flipped = bytes(byte ^ 1 << chance.randrange(8) for byte in data[start : start + 1])
        start, stop, new = chance.choice(
            [
                (start, start + 1, flipped),
                (start, start + 1, chance.randbytes(1)),
                (start, start + 8, (number % 2**64).to_bytes(8, "little")),
                (start, start + 4, (number % 2**32).to_bytes(4, "little")),
                (start, start + 4, (number % 2**32).to_bytes(4, "big")),
                (start, stop, data[other : other + stop - start]),
                (start, stop, b""),
                (start, start, chance.randbytes(stop - start)),
                (other, size, b"") if chance.random() < 0.5 else (0, 0, b""),
            ]
        )
        data[start:stop] = new
    return bytes(data)


def good_files() -> list[Callable[[Path], Path]]:
    """Writers of files of every form that are read, of 40 + 40 digits, the canonical ones here."""
    sample = read_mnist(ingestion("sample"))
    few = {}
    for split in ("train", "test"):
        of_class = [np.flatnonzero(sample[f"y_{split}"] == digit)[:4] for digit in range(10)]
        for key in (f"x_{split}", f"y_{split}"):
            few[key] = sample[key][np.concatenate(of_class)]
    canonical.DIGESTS.update({key: sha256(array) for key, array in few.items()})
    floats = {
        key: array / np.float32(255) if key[0] == "x" else array for key, array in few.items()
    }
    contents = {f"{name}.hdf5": content for name, content in _hdf5_files(few, floats).items()}
    contents |= _other_files(few, floats)
    for name, save in (("plain", np.savez), ("packed", np.savez_compressed)):
        file = io.BytesIO()
        save(file, **few)
        contents[f"{name}.npz"] = file.getvalue()

    def write(folder: Path, name: str) -> Path:
        (folder / name).write_bytes(contents[name])
        return folder / name

    def write_idx(folder: Path) -> Path:
        target = folder / "idx"
        target.mkdir(exist_ok=True)
        for key, name in FILES.items():
            (target / name).write_bytes(idx_bytes(few[key]))
        return target

    writers = [partial(write, name=name) for name in contents]
    folders = [partial(_write_folder, files=files) for files in _folders(few)]
    return [*writers, *folders, write_idx, lambda folder: write_mnist(folder / "idx", few)]


def _write_folder(folder: Path, files: dict[str, bytes]) -> Path:
    target = folder / "parts"
    for name, content in files.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(content)
    return target


def _written(write: Callable[..., object], *args: object, **options: object) -> bytes:
    file = io.BytesIO()
    write(file, *args, **options)
    return file.getvalue()


def _other_files(few: dict, floats: dict) -> dict[str, bytes]:
    """The same digits as a table, MATLAB file, pickle, and compressed HDF5 file."""
    files = {
        "plain.mat": _written(savemat, few),
        "packed.mat": _written(savemat, {"mnist": floats}, do_compression=True),
        "old.mat": _written(
            savemat, {key: array.reshape(40, -1) for key, array in few.items()}, format="4"
        ),
        "table.csv": table_bytes(few["x_train"], few["y_train"]),
        "packed.csv.gz": gzip.compress(table_bytes(few["x_train"], few["y_train"], sep=";")),
        "packed.hdf5.gz": gzip.compress(_hdf5_files(few, floats)["plain"]),
        "table.h5": _written(_write_compound, few),
    }
    splits = [(few["x_train"], few["y_train"]), (few["x_test"], few["y_test"])]
    for protocol, value in ((0, splits), (2, few), (4, floats), (5, splits)):
        files[f"protocol{protocol}.pkl"] = pickle.dumps(value, protocol)
    return {**files, "packed.pkl.gz": gzip.compress(files["protocol2.pkl"])}


def _write_compound(path: io.BytesIO, few: dict) -> None:
    """Write a record for each digit, as pandas does."""
    with h5py.File(path, "w") as file:
        for split in ("train", "test"):
            records = np.zeros(40, [("index", "i8"), ("x", "u1", (28, 28)), ("y", "i4")])
            records["x"], records["y"] = few[f"x_{split}"], few[f"y_{split}"]
            file[split] = records


def _folders(few: dict) -> list[dict[str, bytes]]:
    """The files of folders: tables, Parquet files, arrays, and pictures."""
    splits = {split: (few[f"x_{split}"], few[f"y_{split}"]) for split in ("train", "test")}
    return [
        {f"{split}.tsv": table_bytes(*digits, sep="\t") for split, digits in splits.items()},
        {f"{split}-0.parquet": parquet_bytes(*digits) for split, digits in splits.items()},
        {f"{key}.npy": _written(np.save, array) for key, array in few.items()},
        {
            f"{split}/{label}/{i}.png": png_bytes(image)
            for split, (images, labels) in splits.items()
            for i, (image, label) in enumerate(zip(images, labels, strict=True))
        },
    ]


def _hdf5_files(few: dict, floats: dict) -> dict[str, bytes]:
    packed = {"compression": "gzip", "shuffle": True, "fletcher32": True}
    files = {}
    for name, arrays, version, options in (
        ("plain", few, "earliest", {}),
        ("newest", few, "latest", {}),
        ("packed", few, "earliest", packed),
        ("newest_packed", few, "latest", packed),
        ("floats", floats, "earliest", {"compression": "lzf"}),
    ):
        file = io.BytesIO()
        with h5py.File(file, "w", libver=version) as target:
            for key, array in arrays.items():
                chunks = {"chunks": (7, *array.shape[1:])} if options else {}
                target.create_dataset(key, data=array, **options, **chunks)
            target.attrs["split"] = np.zeros(3, [("split", "S5"), ("source", "S8")])
            target.create_group("more")["names"] = ["a", "b"]
        files[name] = file.getvalue()
    return files


if __name__ == "__main__":
    report(__doc__.splitlines()[0], "files", lambda _, times, seed: fuzz(times, seed))
