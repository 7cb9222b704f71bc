"""Every fault that the project is held to: how to provoke it, and what a person then sees.

    python -m tests.reliability.faults

writes the table in ``docs/reliability.md`` from runs of the project; ``test_faults.py`` makes the
same runs and compares.
"""

import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from mnist_kedro.sources import read_mnist
from mnist_kedro.sources.layout import KEYS
from tests.conftest import ROOT, copy_project, ingestion
from tests.reliability import served
from tests.reliability.disk_full import small_disk
from tests.reliability.runs import Project
from tests.sources.test_download import HtmlPage

PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- begin: tests/reliability/faults.py -->\n", "<!-- end -->\n"
SOURCE = "my/mnist.hdf5"

Provoke = Callable[[Project], str]


@dataclass(frozen=True)
class Fault:
    """A fault; ``provoke`` gives what a person sees, ``proof`` is the test of what it leaves."""

    number: int
    what: str
    proof: str
    provoke: Provoke | None = None
    message: str = ""  # where nothing is to be seen


def told(project: Project, *arguments: str, **how: Any) -> str:
    """The line that a run ends with."""
    outcome = project.run(*arguments, **how)
    assert outcome.status not in {0, -11}, outcome.log
    assert "Traceback" not in outcome.log, outcome.log
    return outcome.log.strip().splitlines()[-1].removeprefix("Error: ")


def ingested(change: Callable[[h5py.File], None]) -> Provoke:
    """Ingest a file of good digits after a change."""

    def provoke(project: Project) -> str:
        with h5py.File(_path(project), "w") as file:
            sample = read_mnist(ingestion("sample"))
            for key in KEYS:
                file[key] = sample[key]
            change(file)
        return told(project, "--params", f"ingestion.source={SOURCE}")

    return provoke


def given(make: Callable[[Path], Any]) -> Provoke:
    """Ingest whatever is made at the path."""

    def provoke(project: Project) -> str:
        make(_path(project))
        return told(project, "--params", f"ingestion.source={SOURCE}")

    return provoke


def _path(project: Project) -> Path:
    path = project.folder / SOURCE
    shutil.rmtree(path.parent, ignore_errors=True)
    path.parent.mkdir()
    return path


def _truncated(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["x_train"] = np.zeros((100, 28, 28))
    path.write_bytes(path.read_bytes()[:5000])


def _put(key: str, change: Callable[[np.ndarray], Any]) -> Callable[[h5py.File], None]:
    def put(file: h5py.File) -> None:
        value = change(file[key][()])
        del file[key]
        file[key] = value

    return put


def _at(place: Any, value: Any, dtype: str) -> Callable[[np.ndarray], np.ndarray]:
    def change(array: np.ndarray) -> np.ndarray:
        changed = array.astype(dtype)
        changed[place] = value
        return changed

    return change


def _rename(file: h5py.File) -> None:
    for i, key in enumerate(KEYS):
        file.move(key, "abcd"[i])


def _group(file: h5py.File) -> None:
    del file["x_test"]
    file.create_group("x_test")


def _standardise(file: h5py.File) -> None:
    for key in ("x_train", "x_test"):
        _put(key, lambda x: ((x - 33.3) / 78.6).astype(np.float32))(file)


def _empty_test(file: h5py.File) -> None:
    for key in ("x_test", "y_test"):
        _put(key, lambda array: array[:0])(file)


def _external_storage(file: h5py.File) -> None:
    del file["x_train"]
    outside = [("bytes.bin", 0, 4000 * 784)]
    file.create_dataset("x_train", (4000, 28, 28), "u1", external=outside)


def _virtual(file: h5py.File) -> None:
    del file["x_train"]
    layout = h5py.VirtualLayout((4000, 28, 28), "u1")
    layout[:] = h5py.VirtualSource("other.hdf5", "x", (4000, 28, 28))
    file.create_virtual_dataset("x_train", layout)


def _declare(file: h5py.File) -> None:
    del file["x_train"]
    file.create_dataset("x_train", (10**8, 28, 28), "f8", chunks=(1, 28, 28))


def _flipped_bit(project: Project) -> str:
    path = max((project.data / "01_raw" / "mnist.hdf5").iterdir()) / "mnist.hdf5"
    content = path.read_bytes()
    damaged = bytearray(content)
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    try:
        return told(project, "--pipelines", "data_processing")
    finally:
        path.write_bytes(content)


def _locked(project: Project) -> str:
    path = _path(project)
    hold = "import h5py, sys; f = h5py.File(sys.argv[1], 'w'); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as writer:
        writer.stdout.readline()
        message = told(project, "--params", f"ingestion.source={SOURCE}")
        writer.kill()
    return message


def _full_disk(project: Project) -> str:
    with small_disk(project.folder / "data" / "small", 2**18):
        return _elsewhere(project, "data/small")


def _read_only(project: Project) -> str:
    with small_disk(project.folder / "data" / "small", 2**18) as disk:
        disk.make_read_only()
        return _elsewhere(project, "data/small")


def _elsewhere(project: Project, root: str) -> str:
    """A run that saves in another folder."""
    with _configured(project, "globals.yml", f"paths: {{root: {root}}}\n"):
        return told(project)


@contextmanager
def _configured(project: Project, name: str, content: str) -> Iterator[None]:
    path = project.folder / "conf" / "smoke" / name
    before = path.read_text() if path.exists() else None
    path.write_text(content)
    yield
    if before is None:
        path.unlink()
    else:
        path.write_text(before)


TRAIN = ("--nodes", "cnn.train_model", "--params")


def _interrupted(project: Project) -> str:
    return told(
        project, *TRAIN, "training.epochs=9", kill_when="cnn: epoch 2", kill_with=signal.SIGINT
    )


def _terminated(project: Project) -> str:
    return told(
        project, *TRAIN, "training.epochs=9", kill_when="cnn: epoch 2", kill_with=signal.SIGTERM
    )


def _corrupt_checkpoint(project: Project) -> str:
    shutil.rmtree(project.data / "06_models" / "checkpoints", ignore_errors=True)
    _interrupted(project)
    path = max(project.data.glob("06_models/checkpoints/cnn/*/*.hdf5"))
    path.write_bytes(path.read_bytes()[:-5000])
    outcome = project.run(*TRAIN, "training.epochs=9,training.resume=true")
    assert outcome.status == 0, outcome.log
    (line,) = [line for line in outcome.log.splitlines() if "WARNING" in line]
    return line.partition("WARNING  ")[2]


def _other_parameters(project: Project) -> str:
    shutil.rmtree(project.data / "06_models" / "checkpoints", ignore_errors=True)
    _interrupted(project)
    return told(project, *TRAIN, "training.epochs=9,training.seed=5,training.resume=true")


def _model(make: Callable[[Any, Path], Any]) -> Provoke:
    """Predict by a model that is made by Keras at the path."""

    def provoke(project: Project) -> str:
        from mnist_kedro import quiet_tensorflow  # noqa: F401  (before all else that imports it)

        # isort: split
        import keras

        folder = project.data / "06_models" / "cnn.keras" / "9999-01-01T00.00.00.000Z"
        folder.mkdir()
        make(keras, folder / "cnn.keras")
        try:
            return told(project, "--nodes", "cnn.predict_test_digits")
        finally:
            shutil.rmtree(folder)

    return provoke


def _evil_model(keras: Any, path: Path) -> None:
    code = keras.layers.Lambda(lambda x: x, output_shape=(3,))
    keras.Sequential([keras.Input((3,)), code]).save(path)


def _truncated_model(keras: Any, path: Path) -> None:
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)]).save(path)
    path.write_bytes(path.read_bytes()[:-500])


def _other_model(keras: Any, path: Path) -> None:
    layers = [keras.Input((32, 32, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]
    keras.Sequential(layers, name="cnn").save(path)


def _no_mirror(project: Project, source: str) -> str:
    server = ThreadingHTTPServer(("127.0.0.1", 0), HtmlPage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    mirrors = f"[http://127.0.0.1:1/, http://127.0.0.1:{server.server_port}/]"
    with _configured(project, "parameters_ingestion.yml", f"ingestion: {{mirrors: {mirrors}}}\n"):
        outcome = project.run("--pipelines", "ingestion", "--params", f"ingestion.source={source}")
    server.shutdown()
    server.server_close()
    (line,) = [line for line in outcome.log.splitlines() if "could not be downloaded" in line]
    return line.removeprefix("Error: ").rpartition("WARNING  ")[2]


LAYOUTS = "tests/sources/test_layouts.py"
HDF5 = "tests/sources/test_hdf5.py"
REFUSES = f"{LAYOUTS}::test_refuses_in_one_line_that_names_file_and_key"
SOMETHING_ELSE = f"{LAYOUTS}::test_refuses_what_is_something_else"
CHECKPOINTING = "tests/models/test_checkpointing.py"
SERVED_MODEL = "tests/serving/test_model.py"
SERVED_APP = "tests/serving/test_app.py"
DISK_FULL = "tests/reliability/test_disk_full.py"

FAULTS = (
    Fault(1, "file missing", "tests/sources/test_read.py::test_refuses_a_missing_path", given(str)),
    Fault(2, "0 bytes", f"{HDF5}::test_refuses_an_empty_file", given(Path.touch)),
    Fault(3, "truncated", f"{HDF5}::test_refuses_a_truncated_file", given(_truncated)),
    Fault(
        4,
        "not HDF5",
        f"{HDF5}::test_refuses_another_format",
        given(lambda path: path.write_text("x_train,y_train")),
    ),
    Fault(4, "a folder", f"{HDF5}::test_refuses_a_folder_by_that_name", given(Path.mkdir)),
    Fault(
        5, "unknown layout", f"{LAYOUTS}::test_refuses_what_is_something_else", ingested(_rename)
    ),
    Fault(5, "key missing", REFUSES, ingested(lambda file: file.__delitem__("y_test"))),
    Fault(
        5,
        "a file of ann-benchmarks",
        SOMETHING_ELSE,
        ingested(lambda file: (_rename(file), file.move("a", "neighbors"))),
    ),
    Fault(
        6,
        "a group where a dataset belongs",
        f"{LAYOUTS}::test_names_a_group_where_a_dataset_belongs",
        ingested(_group),
    ),
    Fault(7, "wrong shape", REFUSES, ingested(_put("x_test", lambda x: x[:, :27]))),
    Fault(8, "no known range of pixels", REFUSES, ingested(_standardise)),
    Fault(
        8,
        "ranges that differ between the splits",
        REFUSES,
        ingested(_put("x_test", lambda x: x / np.float32(255))),
    ),
    Fault(9, "counts differ", REFUSES, ingested(_put("y_train", lambda y: y[:-1]))),
    Fault(10, "label outside 0–9", REFUSES, ingested(_put("y_train", _at(7, 10, "u1")))),
    Fault(11, "NaN", REFUSES, ingested(_put("x_train", _at((3, 4, 5), np.nan, "f4")))),
    Fault(11, "pixel out of range", REFUSES, ingested(_put("x_train", _at((9, 1, 2), 300, "i4")))),
    Fault(12, "empty split", REFUSES, ingested(_empty_test)),
    Fault(
        12,
        "missing class",
        "tests/test_contracts.py::test_refuses_a_split_without_one_of_the_digits",
        ingested(_put("y_test", lambda y: np.where(y == 4, 9, y))),
    ),
    Fault(
        13,
        "external link",
        f"{HDF5}::test_refuses_an_external_link",
        ingested(lambda file: file.__setitem__("more", h5py.ExternalLink("other.hdf5", "x"))),
    ),
    Fault(
        13,
        "loop of soft links",
        f"{HDF5}::test_refuses_a_loop_of_soft_links",
        ingested(lambda file: file.__setitem__("more", h5py.SoftLink("/more"))),
    ),
    Fault(
        13,
        "external storage",
        f"{HDF5}::test_refuses_external_storage",
        ingested(_external_storage),
    ),
    Fault(13, "virtual storage", f"{HDF5}::test_refuses_virtual_storage", ingested(_virtual)),
    Fault(
        14,
        "declares 10¹¹ numbers",
        f"{HDF5}::test_refuses_more_digits_than_are_believed",
        ingested(_declare),
    ),
    Fault(
        15,
        "bit flip in a dataset of the catalog",
        "tests/datasets/test_hdf5_dataset.py::test_finds_a_flipped_bit_anywhere",
        _flipped_bit,
    ),
    Fault(16, "locked by a writer", f"{HDF5}::test_says_that_a_file_is_in_use", _locked),
    Fault(
        17,
        "disk full",
        f"{DISK_FULL}::test_a_full_disk_is_told_and_keeps_what_is_there",
        _full_disk,
    ),
    Fault(
        18,
        "SIGKILL during a save",
        "tests/reliability/test_kill.py::test_a_kill_in_the_middle_of_a_save_leaves_no_version",
        message="Nothing; the next run is a good one.",
    ),
    Fault(
        19,
        "Ctrl-C in a training",
        f"{CHECKPOINTING}::test_goes_on_to_the_result_without_the_interruption",
        _interrupted,
    ),
    Fault(
        19, "SIGTERM in a training", "tests/test_resume.py::test_a_killed_run_goes_on", _terminated
    ),
    Fault(
        20,
        "newest checkpoint corrupt",
        f"{CHECKPOINTING}::test_a_damaged_checkpoint_is_passed_over",
        _corrupt_checkpoint,
    ),
    Fault(
        21,
        "resumed with other parameters",
        f"{CHECKPOINTING}::test_refuses_to_go_on_with_other_parameters_and_names_them",
        _other_parameters,
    ),
    Fault(
        22,
        "two runs at once",
        "tests/test_two_runs.py::test_two_runs_at_once_do_not_mix",
        message="Nothing; each has its own results.",
    ),
    Fault(
        23,
        "model truncated",
        "tests/datasets/test_keras_model_dataset.py::test_a_damaged_file_is_called_corrupt",
        _model(_truncated_model),
    ),
    Fault(
        24,
        "model of another shape",
        "tests/test_contracts.py::test_refuses_a_model_of_another_shape",
        _model(_other_model),
    ),
    Fault(
        24,
        "the same, served",
        f"{SERVED_MODEL}::test_a_model_that_takes_something_else_is_refused",
        served.other_model,
    ),
    Fault(
        25,
        "model with code in it",
        "tests/datasets/test_keras_model_dataset.py::test_refuses_a_model_with_code_of_its_own",
        _model(_evil_model),
    ),
    Fault(
        26,
        "read-only output folder",
        f"{DISK_FULL}::test_a_folder_that_cannot_be_written_is_found_before_anything_is_done",
        _read_only,
    ),
    Fault(
        27,
        "download: refused, an HTML page",
        "tests/sources/test_download.py::test_lists_every_mirrors_reason_when_all_fail",
        lambda project: _no_mirror(project, "download"),
    ),
    Fault(
        28,
        "loss becomes NaN",
        f"{CHECKPOINTING}::test_a_loss_that_is_no_number_ends_the_training",
        lambda project: told(project, *TRAIN, "training.learning_rate=1e12"),
    ),
    Fault(
        29,
        "unknown parameter",
        "tests/test_cli.py::test_a_wrong_run_ends_in_one_line",
        lambda project: told(project, "--params", "training.epoch=1"),
    ),
    Fault(
        29,
        "negative epochs",
        "tests/test_cli.py::test_a_wrong_run_ends_in_one_line",
        lambda project: told(project, "--params", "training.epochs=-1"),
    ),
    Fault(
        30,
        "folder of pictures: some bad",
        "tests/pictures/test_batches.py::test_every_file_has_its_row_in_the_order_of_names",
        served.bad_pictures,
    ),
    *(
        Fault(
            31,
            f"web: {what}",
            f"{SERVED_APP}::test_what_cannot_be_read_is_told",
            partial(served.bad_request, what=what),
        )
        for what in served.BAD_REQUESTS
    ),
    Fault(
        32,
        "web: no model yet",
        f"{SERVED_APP}::test_without_a_model_it_lives_but_is_not_ready",
        served.no_model,
    ),
    Fault(
        32,
        "web: model replaced by a damaged one",
        f"{SERVED_MODEL}::test_a_bad_version_is_refused_and_the_one_before_serves",
        served.damaged_model,
    ),
    Fault(
        33,
        "web: 200 clients at once",
        "tests/serving/test_server.py::test_two_hundred_at_once_are_answered_or_told_to_come_again",
        served.busy,
    ),
    Fault(
        33,
        "web: 200 slow clients",
        "tests/serving/test_server.py::test_slow_clients_keep_no_one_waiting",
        message="Nothing; they keep no one waiting.",
    ),
    Fault(
        34,
        "no network, source `auto`",
        "tests/sources/test_read.py::test_auto_announces_that_it_falls_back_to_the_sample",
        lambda project: _no_mirror(project, "auto"),
    ),
    Fault(
        34,
        "paths with spaces and Unicode",
        "tests/reliability/test_kill.py::test_kills_at_random_moments_lose_nothing",
        message="Nothing; the tests run in such a folder.",
    ),
)


def message(fault: Fault, project: Project) -> str:
    """What a person sees, without what differs from run to run."""
    if fault.provoke is None:
        return fault.message
    text = fault.provoke(project).replace(f"{project.folder}/", "")
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d.]+Z", "<version>", text)
    text = re.sub(r"checkpoints/cnn/\w{16}", "checkpoints/cnn/<training>", text)
    text = re.sub(r"epoch \d+ is kept", "epoch 2 is kept", text)
    text = re.sub(r"epoch_\d+", "epoch_00001", text)
    text = re.sub(r"127\.0\.0\.1:\d+", "<mirror>", text)
    return re.sub(r"[\d,]+ bytes are needed and [\d,]+ are", "… bytes are needed and … are", text)


def row(fault: Fault, told: str) -> str:
    """A line of the table."""
    path, _, name = fault.proof.partition("::")
    quoted = f"`{told}`" if fault.provoke else told
    return f"| {fault.number} | {fault.what} | {quoted} | [{name}](../{path}) |\n"


def main() -> None:
    """Write the table."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project(copy_project(Path(folder) / "project"))
        project.run()
        rows = "".join(row(fault, message(fault, project)) for fault in FAULTS)
        project.close()
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    header = "| # | fault | what a person sees | proved by |\n|---|---|---|---|\n"
    PAGE.write_text(f"{before}{BEGIN}{header}{rows}{END}{after}")


if __name__ == "__main__":
    main()
