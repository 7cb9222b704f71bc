"""List the faults that the project handles: how to provoke each one, and which message it causes.

    python -m tests.reliability.faults

writes the table in ``docs/reliability.md`` from runs of the project; ``test_faults.py`` repeats
these runs and compares the messages.
"""

import re
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from mnist_kedro.old_versions import locked
from mnist_kedro.sources import read_mnist
from mnist_kedro.sources.layout import KEYS
from tests.reliability import served
from tests.reliability.disk_full import small_disk
from tests.support.http import HtmlPage, http_server
from tests.support.parameters import ingestion
from tests.support.paths import ROOT
from tests.support.processes import background
from tests.support.project import Outcome, Project

PAGE = ROOT / "docs" / "reliability.md"
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
BEGIN, END = "<!-- begin: tests/reliability/faults.py -->\n", "<!-- end -->\n"
SOURCE = "my/mnist.hdf5"

Provoke = Callable[[Project], str]


@dataclass(frozen=True)
class Fault:
    """A fault: ``provoke`` returns its message, and the test ``proof`` checks its consequences."""

    number: int
    what: str
    proof: str
    provoke: Provoke | None = None
    message: str = ""  # if the fault causes no message


def run(
    project: Project, *arguments: str, when: str = "", send: signal.Signals = signal.SIGINT
) -> Outcome:
    """Run the project; send a signal when the text ``when`` appears in the log."""
    started = project.start("run", "--env", "smoke", *arguments)
    if when:
        started.wait_for(when)
        started.send(send)
    return started.wait()


def error_line(project: Project, *arguments: str, **how: Any) -> str:
    """Return the last line of a run that fails."""
    outcome = run(project, *arguments, **how)
    assert outcome.status not in {0, -11}, outcome.log
    assert "Traceback" not in outcome.log, outcome.log
    return outcome.last_line.removeprefix("Error: ")


def ingested(change: Callable[[h5py.File], None]) -> Provoke:
    """Ingest a valid file after a change."""

    def provoke(project: Project) -> str:
        with h5py.File(_path(project), "w") as file:
            sample = read_mnist(ingestion("sample"))
            for key in KEYS:
                file[key] = sample[key]
            change(file)
        return error_line(project, "--params", f"ingestion.source={SOURCE}")

    return provoke


def wrong(number: int, what: str, change: Callable[[h5py.File], None]) -> Fault:
    """Describe a fault of one array in an otherwise valid file."""
    proof = "test_refuses_a_wrong_array"
    return Fault(number, what, proof, ingested(change))


def given(make: Callable[[Path], Any]) -> Provoke:
    """Ingest what ``make`` creates at the path."""

    def provoke(project: Project) -> str:
        make(_path(project))
        return error_line(project, "--params", f"ingestion.source={SOURCE}")

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


def _scale_each(file: h5py.File) -> None:
    for key in ("x_train", "x_test"):
        _put(key, lambda x: x * np.linspace(0.0004, 0.002, len(x))[:, None, None])(file)


def _normalize(file: h5py.File) -> None:
    for key in ("x_train", "x_test"):
        _put(key, lambda x: x / np.maximum(1, np.linalg.norm(x, axis=1, keepdims=True)))(file)


def _transpose_half(images: np.ndarray) -> np.ndarray:
    images[::2] = images[::2].transpose(0, 2, 1)
    return images


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
        return error_line(project, "--pipelines", "data_processing")
    finally:
        path.write_bytes(content)


def _locked(project: Project) -> str:
    path = _path(project)
    hold = "import h5py, sys; f = h5py.File(sys.argv[1], 'w'); print('open', flush=True); input()"
    with background("-c", hold, str(path), folder=project.folder) as writer:
        writer.wait_for("open")
        return error_line(project, "--params", f"ingestion.source={SOURCE}")


def _full_disk(project: Project) -> str:
    with small_disk(project.folder / "data" / "small", 2**18):
        return _elsewhere(project, "data/small")


def _read_only(project: Project) -> str:
    with small_disk(project.folder / "data" / "small", 2**18) as disk:
        disk.make_read_only()
        return _elsewhere(project, "data/small")


def _elsewhere(project: Project, root: str) -> str:
    """Run the project with another data folder."""
    with _configured(project, "globals.yml", f"paths: {{root: {root}}}\n"):
        return error_line(project)


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


TRAIN = ("--nodes", "train_cnn", "--params")


def _interrupted(project: Project) -> str:
    return error_line(project, *TRAIN, "training.epochs=9", "--verbose", when="cnn: epoch 2")


def _terminated(project: Project) -> str:
    options = (*TRAIN, "training.epochs=9", "--verbose")
    return error_line(project, *options, when="cnn: epoch 2", send=signal.SIGTERM)


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
    return error_line(project, *TRAIN, "training.epochs=9,training.seed=5,training.resume=true")


def _model(make: Callable[[Any, Path], Any], *arguments: str) -> Provoke:
    """Run with a model that ``make`` saves with Keras at a path; by default, classify pictures."""

    def provoke(project: Project) -> str:
        from mnist_kedro import quiet_tensorflow  # noqa: F401  (before other imports of TensorFlow)

        # isort: split
        import keras

        folder = project.data / "06_models" / "cnn.keras" / "9999-01-01T00.00.00.000Z"
        folder.mkdir()
        make(keras, folder / "cnn.keras")
        try:
            images = f"inference.images={project.latest('01_raw/mnist.hdf5')}"
            pictures = ("--pipelines", "inference", "--params", images)
            return error_line(project, *(arguments or pictures))
        finally:
            shutil.rmtree(folder)

    return provoke


def _evil_model(keras: Any, path: Path) -> None:
    code = keras.layers.Lambda(lambda x: x, output_shape=(3,))
    keras.Sequential([keras.Input((3,)), code]).save(path)


def _truncated_model(keras: Any, path: Path) -> None:
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)]).save(path)
    path.write_bytes(path.read_bytes()[:-500])


def _model_without_record(keras: Any, path: Path) -> None:
    layers = [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]
    keras.Sequential(layers, name="cnn").save(path)


def _other_model(keras: Any, path: Path) -> None:
    layers = [keras.Input((32, 32, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]
    keras.Sequential(layers, name="cnn").save(path)


def _other_split(project: Project) -> str:
    """Export after another split of the digits."""
    split = ("--pipelines", "data_processing", "--params", "data_processing.seed=9")
    outcome = project.run(*split)
    assert outcome.status == 0, outcome.log
    try:
        return re.sub(r"[0-9a-f]{12}", "<digest>", error_line(project, "--pipelines", "export"))
    finally:
        for name in ("train.hdf5", "validation.hdf5", "pixel_statistics.json"):
            path = project.latest(f"05_model_input/{name}").parent
            shutil.rmtree(path)


def _removed_beside_a_run(project: Project) -> str:
    started = project.start("run", "--env", "smoke", "--pipelines", "ingestion,data_processing")
    started.wait_for("Kedro project")
    with locked(project.data, exclusive=False):
        outcome = project.kedro("remove-versions", "--env", "smoke", "--yes")
    assert started.wait().status == 0
    return outcome.last_line.removeprefix("Error: ")


def _no_mirror(project: Project, source: str) -> str:
    with http_server(HtmlPage) as address:
        mirrors = f"ingestion: {{mirrors: [http://127.0.0.1:1/, {address}]}}\n"
        with _configured(project, "parameters_ingestion.yml", mirrors):
            outcome = project.run(
                "--pipelines", "ingestion", "--params", f"ingestion.source={source}"
            )
    (line,) = [line for line in outcome.log.splitlines() if "could not be downloaded" in line]
    return line.removeprefix("Error: ").rpartition("WARNING  ")[2]


FAULTS = (
    Fault(1, "missing file", "test_refuses_a_missing_path", given(str)),
    Fault(2, "empty file", "test_refuses_an_empty_file", given(Path.touch)),
    Fault(3, "truncated file", "test_refuses_a_truncated_file", given(_truncated)),
    Fault(
        4,
        "another format than HDF5",
        "test_refuses_another_format",
        given(lambda path: path.write_text("x_train,y_train")),
    ),
    Fault(4, "a folder instead of a file", "test_refuses_a_folder", given(Path.mkdir)),
    Fault(5, "unknown layout", "test_rejects_files_that_are_not_mnist", ingested(_rename)),
    wrong(5, "missing images", lambda file: file.__delitem__("x_test")),
    Fault(
        5,
        "file of ann-benchmarks",
        "test_rejects_files_that_are_not_mnist",
        ingested(lambda file: (_rename(file), file.move("a", "neighbors"))),
    ),
    Fault(6, "a group instead of a dataset", "test_names_a_group", ingested(_group)),
    wrong(7, "wrong shape", _put("x_test", lambda x: x[:, :27])),
    Fault(
        7,
        "images in two orientations",
        "test_refuses_images_of_two_orientations",
        ingested(_put("x_train", _transpose_half)),
    ),
    wrong(8, "unknown range of pixel values", _scale_each),
    Fault(
        8,
        "images normalized to unit length",
        "test_refuses_pixels_scaled_to_unit_length",
        ingested(_normalize),
    ),
    wrong(8, "splits with different pixel ranges", _put("x_test", lambda x: x / np.float32(255))),
    wrong(9, "different numbers of images and labels", _put("y_train", lambda y: y[:-1])),
    wrong(10, "label outside 0–9", _put("y_train", _at(7, 10, "u1"))),
    Fault(
        10,
        "permuted labels",
        "test_rejects_permuted_labels_unless_as_is",
        ingested(_put("y_train", lambda y: (y + 1) % 10)),
    ),
    Fault(
        10,
        "labels shifted by a row",
        "test_rejects_shifted_labels",
        ingested(_put("y_train", lambda y: np.roll(y, 1))),
    ),
    Fault(
        10,
        "shuffled labels",
        "test_rejects_shuffled_labels",
        ingested(_put("y_train", lambda y: np.random.default_rng(0).permutation(y))),
    ),
    wrong(11, "NaN", _put("x_train", _at((3, 4, 5), np.nan, "f4"))),
    wrong(11, "pixel out of range", _put("x_train", _at((9, 1, 2), 300, "i4"))),
    wrong(12, "empty split", _empty_test),
    Fault(
        12,
        "missing class",
        "test_refuses_a_split_without_one_of_the_digits",
        ingested(_put("y_test", lambda y: np.where(y == 4, 9, y))),
    ),
    Fault(
        13,
        "external link",
        "test_refuses_an_external_link",
        ingested(lambda file: file.__setitem__("more", h5py.ExternalLink("other.hdf5", "x"))),
    ),
    Fault(
        13,
        "circular soft link",
        "test_refuses_a_loop_of_soft_links",
        ingested(lambda file: file.__setitem__("more", h5py.SoftLink("/more"))),
    ),
    Fault(13, "external storage", "test_refuses_external_storage", ingested(_external_storage)),
    Fault(13, "virtual storage", "test_refuses_virtual_storage", ingested(_virtual)),
    Fault(14, "declares 10¹¹ numbers", "test_refuses_too_many_digits", ingested(_declare)),
    Fault(
        15,
        "bit flip in a dataset of the catalog",
        "test_finds_a_flipped_bit_anywhere",
        _flipped_bit,
    ),
    Fault(16, "file locked by another program", "test_reports_a_locked_file", _locked),
    Fault(17, "disk full", "test_reports_a_full_disk_and_keeps_earlier_outputs", _full_disk),
    Fault(
        18,
        "SIGKILL during a save",
        "test_a_kill_during_a_save_leaves_no_version",
        message="No message; the next run succeeds.",
    ),
    Fault(19, "Ctrl-C during training", "test_resumes_to_the_same_result", _interrupted),
    Fault(19, "SIGTERM during training", "test_resumes_after_sigterm_and_sigkill", _terminated),
    Fault(20, "latest checkpoint corrupt", "test_skips_a_damaged_checkpoint", _corrupt_checkpoint),
    Fault(
        21,
        "resumed with different parameters",
        "test_refuses_to_resume_with_other_parameters",
        _other_parameters,
    ),
    Fault(
        22,
        "two runs at once",
        "test_two_runs_at_once_do_not_mix",
        message="No message; each run saves its own results.",
    ),
    Fault(
        22,
        "four identical or resumed trainings at once",
        "test_equal_and_resumed_trainings_at_once_have_equal_results",
        message="No message; each run saves its own results.",
    ),
    Fault(
        23,
        "truncated model file",
        "test_a_damaged_file_is_called_corrupt",
        _model(_truncated_model),
    ),
    Fault(
        24,
        "model with a different input shape",
        "test_refuses_a_model_of_another_shape",
        _model(_other_model),
    ),
    Fault(
        24,
        "web: model with a different input shape",
        "test_refuses_a_model_of_another_input",
        served.other_model,
    ),
    Fault(25, "model that contains code", "test_refuses_a_model_with_code", _model(_evil_model)),
    Fault(26, "read-only output folder", "test_refuses_a_read_only_folder", _read_only),
    Fault(
        27,
        "download: connection refused; an HTML page instead of data",
        "test_lists_the_reason_of_every_mirror",
        lambda project: _no_mirror(project, "download"),
    ),
    Fault(
        28,
        "loss becomes NaN",
        "test_a_loss_of_nan_ends_the_training",
        lambda project: error_line(project, *TRAIN, "training.learning_rate=1e12"),
    ),
    Fault(
        29,
        "unknown parameter",
        "test_a_wrong_run_ends_in_one_line",
        lambda project: error_line(project, "--params", "training.epoch=1"),
    ),
    Fault(
        29,
        "negative epochs",
        "test_a_wrong_run_ends_in_one_line",
        lambda project: error_line(project, "--params", "training.epochs=-1"),
    ),
    Fault(30, "folder with invalid pictures", "test_every_file_has_its_row", served.bad_pictures),
    *(
        Fault(
            31, f"web: {what}", "test_refuses_a_bad_request", partial(served.bad_request, what=what)
        )
        for what in served.BAD_REQUESTS
    ),
    Fault(32, "web: no model yet", "test_is_not_ready_without_a_model", served.no_model),
    Fault(
        32,
        "web: model replaced by a corrupt one",
        "test_refuses_a_bad_version",
        served.damaged_model,
    ),
    Fault(33, "web: 200 clients at once", "test_answers_or_sheds_200_requests", served.busy),
    Fault(
        33,
        "web: 200 slow clients",
        "test_slow_clients_block_nobody",
        message="No message; other clients do not wait.",
    ),
    Fault(
        34,
        "no network, source `auto`",
        "test_auto_falls_back_to_the_sample",
        lambda project: _no_mirror(project, "auto"),
    ),
    Fault(
        34,
        "paths with spaces and Unicode",
        "test_random_kills_lose_nothing",
        message="No message; the tests run in such a folder.",
    ),
    Fault(
        35,
        "model trained on another split",
        "test_rejects_inconsistent_lineage",
        _other_split,
    ),
    Fault(
        35,
        "model without a training record",
        "test_a_model_keeps_its_training_record_and_keras_loads_it",
        _model(_model_without_record, "--nodes", "reporting.evaluation.cnn.predict_test_digits"),
    ),
    Fault(
        35,
        "nonexistent version",
        "test_lists_the_versions_that_exist",
        lambda project: error_line(
            project,
            *(
                "--pipelines",
                "data_processing",
                "--load-versions",
                "mnist:2020-01-01T00.00.00.000Z",
            ),
        ),
    ),
    Fault(
        36,
        "web: a candidate that was not promoted",
        "test_candidates_are_not_served",
        served.candidate,
    ),
    Fault(
        36, "web: host that is not allowed", "test_only_allowed_hosts_are_served", served.other_host
    ),
    Fault(
        37,
        "versions removed during a run",
        "test_nothing_is_removed_during_a_run",
        _removed_beside_a_run,
    ),
)


def message(fault: Fault, project: Project) -> str:
    """Return the message of a fault, with placeholders for parts that differ between runs."""
    if fault.provoke is None:
        return fault.message
    text = fault.provoke(project).replace(f"{project.folder}/", "")
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d.]+Z", "<version>", text)
    text = re.sub(r"<version>(, <version>)+", "<version>", text)  # earlier rows save versions
    text = re.sub(r"checkpoints/cnn/[^/]+", "checkpoints/cnn/<training>", text)
    text = re.sub(r"epoch \d+ is saved", "epoch 2 is saved", text)
    text = re.sub(r"epoch_\d+", "epoch_00001", text)
    text = re.sub(r"127\.0\.0\.1:\d+", "<mirror>", text)
    return re.sub(r"[\d,]+ bytes are needed and [\d,]+ are", "… bytes are needed and … are", text)


def row(fault: Fault, text: str) -> str:
    """Format a row of the table."""
    quoted = f"`{text}`" if fault.provoke else text
    path = find_test(fault.proof).relative_to(ROOT)
    return f"| {fault.number} | {fault.what} | {quoted} | [{fault.proof}](../{path}) |\n"


def find_test(name: str) -> Path:
    """Find the file of a test by its unique name; tests of the reliability suite come first."""
    found = [path for path in TESTS if f"\ndef {name}(" in path.read_text()]
    preferred = [path for path in found if path.parent == Path(__file__).parent]
    (path,) = preferred or found
    return path


def main() -> None:
    """Write the table."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project.clone(Path(folder) / "project")
        project.make()
        rows = "".join(row(fault, message(fault, project)) for fault in FAULTS)
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    header = "| # | Fault | Message | Test |\n|---|---|---|---|\n"
    PAGE.write_text(f"{before}{BEGIN}{header}{rows}{END}{after}")


if __name__ == "__main__":
    main()
