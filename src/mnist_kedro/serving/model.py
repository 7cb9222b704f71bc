"""Load, check and replace the model that is served."""

import base64
import hashlib
import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from mnist_kedro.contracts import CLASSES, IMAGE_SIDE, Pixels
from mnist_kedro.errors import InputError
from mnist_kedro.metrics.picture_calibration import CalibratedPredictions, calibrate
from mnist_kedro.promotion import FILE, describe_accuracy, read_decisions, read_promoted
from mnist_kedro.versions import find_versions, version_path

logger = logging.getLogger(__name__)

DEFAULT_MODEL = "cnn"

_MAX_BYTES = 500_000_000
_TOLERANCE = 1e-3  # Processors round differently, so the same probabilities differ slightly.
_REQUIRED = {"sha256", "accuracy", "accuracy_ci95", "test_digits", "confidence_threshold", "data"}

_FileState = tuple[int, int, int] | None


@dataclass(frozen=True)
class Model:
    """One version of an exported network, with the description from the ``export`` pipeline."""

    name: str
    version: str
    description: Mapping[str, Any]
    session: onnxruntime.InferenceSession

    def probabilities(self, pixels: Pixels) -> NDArray[np.float32]:
        """Return the class probabilities ``(n, 10)`` of digits ``(n, 28, 28)`` uint8."""
        return self.session.run(["probabilities"], {"pixels": pixels[..., np.newaxis]})[0]

    def predict(self, pixels: Pixels, in_mnist_form: NDArray[np.bool_]) -> CalibratedPredictions:
        """Classify digits of pictures, and say how far the predictions can be trusted.

        Args:
            pixels: ``(n, 28, 28)`` uint8.
            in_mnist_form: ``(n,)`` which pictures had this form already.
        """
        outputs = self.session.run(None, {"pixels": pixels[..., np.newaxis]})
        calibration = self.description.get("picture_calibration")
        if (
            len(outputs) == 1 or calibration is None
        ):  # exported by an earlier version of this project
            return calibrate(outputs[0], np.empty(0), in_mnist_form, None)
        return calibrate(outputs[0], outputs[1][:, 0], in_mnist_form, calibration)

    def confidence_thresholds(self, in_mnist_form: NDArray[np.bool_]) -> NDArray[np.floating]:
        """Return the confidences ``(n,)`` from which the predictions of pictures are sure.

        Args:
            in_mnist_form: ``(n,)`` which pictures had this form already.
        """
        calibration = self.description.get("picture_calibration") or {}
        lowest = self.description["confidence_threshold"]
        # exports of earlier versions of this project have no threshold for pictures
        of_pictures = max(lowest, calibration.get("confidence_threshold", 0))
        return np.where(in_mnist_form, lowest, of_pictures)


class ModelStore:
    """The promoted model, or the latest version of a named one, that passes its checks.

    ``kedro run --pipelines export`` adds versions, and :meth:`refresh` replaces :attr:`current`.
    Requests keep the model they started with.
    """

    def __init__(self, folder: Path, name: str | None = None) -> None:
        """Create a store without loading a model.

        Args:
            folder: ``data/06_models``.
            name: of the model, such as ``cnn``; None: the promoted model or, in a folder without
                decisions, the latest ``cnn``.
        """
        self.folder, self.name = folder, name
        self.current: Model | None = None
        self.on_replaced: Callable[[], None] = lambda: None  # when another model is served
        self.rejected: dict[str, str] = {}  # the reason for each rejected version
        self._rejected_files: dict[str, list[_FileState]] = {}
        self._listing_failure = ""

    @property
    def unavailable_reason(self) -> str:
        """Explain why there is no model, and how to create one, without paths of this machine."""
        rejected = "".join(f"; {v} was rejected, see the server's log" for v in list(self.rejected))
        candidate = None if self.name else next(read_decisions(self.folder), None)
        if candidate and not rejected:
            return (
                f"no model is promoted; {candidate['model']} {candidate['version']} is a candidate "
                f"({candidate['reason']}); 'python -m mnist_kedro.serving promote "
                f"{candidate['version']}' serves it"
            )
        return (
            f"no model '{self.name or DEFAULT_MODEL}' to serve yet{rejected}; "
            "'kedro run' trains one, 'kedro run --pipelines export' exports it"
        )

    def refresh(self) -> None:
        """Load the first version that passes its checks, unless it is the current one.

        A rejected version is tried again when its files change: they may still be copied, in any
        order.
        """
        for name, version in self._find_candidates():
            if self.current and (name, version) == (self.current.name, self.current.version):
                return
            files = [_file_state(path) for path in _version_paths(self.folder, name, version)]
            if self._rejected_files.get(version) == files:
                continue
            try:
                new = load_model(self.folder, name, version)
            except InputError as error:
                self._rejected_files[version] = files
                if self.rejected.get(version) != str(error):
                    self.rejected[version] = str(error)
                    logger.warning("Model %s is not served: %s", version, error)
            else:
                if self.current is not None:
                    self.on_replaced()
                self.current = new
                self.rejected.pop(version, None)
                accuracy = describe_accuracy(self.current.description)
                logger.info("Serving model %s %s: %s.", name, version, accuracy)
                return

    def _find_candidates(self) -> Iterator[tuple[str, str]]:
        """Yield the models to try, by name and version, in this order; log an error only once."""
        try:
            for name, version in find_exports(self.folder, self.name):
                if self.name and self.current and version < self.current.version:
                    return
                self._listing_failure = ""
                yield name, version
        except OSError as error:
            if str(error) != self._listing_failure:
                logger.warning("Cannot look for new models: %s", error)
            self._listing_failure = str(error)

    def watch(self, seconds: float) -> None:
        """Refresh at this interval, in a daemon thread."""
        pause = threading.Event()

        def refresh_forever() -> None:
            while not pause.wait(seconds):
                self.refresh()

        threading.Thread(target=refresh_forever, name="models", daemon=True).start()


def find_exports(folder: Path, name: str | None) -> Iterator[tuple[str, str]]:
    """Yield the names and versions of exported models, the one to serve first.

    Args:
        folder: ``data/06_models``.
        name: of the model; None: all models that were promoted, the latest first.

    Raises:
        OSError: if the folder cannot be listed.
    """
    if name is None and (folder / FILE).is_dir():
        for decision in read_promoted(folder):
            yield decision["model"], decision["version"]
    else:
        name = name or DEFAULT_MODEL
        for version in find_versions(folder / f"{name}_onnx.json"):
            yield name, version


def _version_paths(folder: Path, name: str, version: str) -> tuple[Path, Path]:
    """Return the paths of an ONNX file and of its description."""
    return (
        version_path(folder / f"{name}.onnx", version),
        version_path(folder / f"{name}_onnx.json", version),
    )


def _file_state(path: Path) -> _FileState:
    """Return what differs after a file was written or replaced; None if there is no such file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size


def load_model(folder: Path, name: str, version: str) -> Model:
    """Load one version and check that it predicts what its description says.

    Raises:
        InputError: if a file is missing, corrupt, too large or fails the checks.
    """
    path, description_path = _version_paths(folder, name, version)
    try:
        description = json.loads(description_path.read_bytes())
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{path}: too large: expected at most {_MAX_BYTES:,} bytes.")
        file = path.read_bytes()
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{description_path}: not JSON ({error}).") from error
    if missing := _REQUIRED - set(description if isinstance(description, dict) else ()):
        raise InputError(
            f"{description_path}: {', '.join(sorted(missing))} is missing; "
            "'kedro run --pipelines export' exports the model again."
        )
    if hashlib.sha256(file).hexdigest() != description["sha256"]:
        raise InputError(
            f"{path}: corrupt, or not the file that {description_path} describes (SHA-256 differs)."
        )
    model = Model(name, version, description, _open_session(file, path))
    _check_examples(model, path)
    return model


def _open_session(file: bytes, path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    # Requests run in parallel, so each of them uses one thread.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises many types, none of which is public.
        raise InputError(f"{path}: not an ONNX model ({str(error).splitlines()[0]}).") from error
    found = [
        (value.name, value.type, value.shape[1:])
        for value in (*session.get_inputs(), *session.get_outputs())
    ]
    expected = [
        ("pixels", "tensor(uint8)", [IMAGE_SIDE, IMAGE_SIDE, 1]),
        ("probabilities", "tensor(float)", [CLASSES]),
        ("digit_score", "tensor(float)", [1]),
    ]
    if found not in (expected, expected[:2]):  # Earlier exports have no score.
        raise InputError(f"{path}: inputs and outputs should be {expected}, but are {found}.")
    return session


def _check_examples(model: Model, path: Path) -> None:
    """Reject a model whose predictions on this machine differ from those in its description."""
    try:
        examples = model.description["examples"]
        pixels = np.stack([example_pixels(example) for example in examples])
        expected = np.array([example["probabilities"] for example in examples], np.float32)
        found = model.probabilities(pixels)
        difference = float(np.abs(found - expected).max())
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: self-check failed; no valid examples.") from error
    except Exception as error:  # ONNX Runtime raises many types, none of which is public.
        raise InputError(f"{path}: prediction failed ({str(error).splitlines()[0]}).") from error
    if not difference <= _TOLERANCE:
        raise InputError(
            f"{path}: self-check failed; probabilities differ from those in the description "
            f"by {difference:.2g}."
        )


def example_pixels(example: Mapping[str, Any]) -> Pixels:
    """Decode the pixels, ``(28, 28)`` uint8, of an example from a description."""
    data = base64.b64decode(example["pixels"], validate=True)
    return np.frombuffer(data, np.uint8).reshape(IMAGE_SIDE, IMAGE_SIDE)
