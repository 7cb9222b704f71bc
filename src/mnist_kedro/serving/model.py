"""Load, check and replace the model that is served."""

import base64
import hashlib
import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from mnist_kedro.contracts import CLASSES, IMAGE_SIDE, Pixels
from mnist_kedro.errors import InputError
from mnist_kedro.versions import list_versions, version_path

logger = logging.getLogger(__name__)

_MAX_BYTES = 500_000_000
_TOLERANCE = 1e-3  # Processors round differently, so the same probabilities differ slightly.
_REQUIRED = {"sha256", "accuracy", "accuracy_ci95", "test_digits", "confidence_threshold", "data"}


@dataclass(frozen=True)
class Model:
    """One version of an exported network, with the description from the ``export`` pipeline."""

    name: str
    version: str
    description: Mapping[str, Any]
    session: onnxruntime.InferenceSession

    def probabilities(self, pixels: Pixels) -> NDArray[np.float32]:
        """Return the class probabilities ``(n, 10)`` of digits ``(n, 28, 28)`` uint8."""
        return self.session.run(None, {"pixels": pixels[..., np.newaxis]})[0]


class ModelStore:
    """The latest version of a model that passes its checks.

    ``kedro run --pipelines export`` adds versions, and :meth:`refresh` replaces :attr:`current`.
    Requests keep the model they started with.
    """

    def __init__(self, folder: Path, name: str) -> None:
        """Create a store without loading a model.

        Args:
            folder: ``data/06_models``.
            name: of the model, such as ``cnn``.
        """
        self.folder, self.name = folder, name
        self.current: Model | None = None
        self.rejected: dict[str, str] = {}  # the reason for each rejected version

    @property
    def unavailable_reason(self) -> str:
        """Explain why there is no model, and how to create one."""
        rejected = "".join(f"; {v} was rejected: {reason}" for v, reason in self.rejected.items())
        return (
            f"no model '{self.name}' to serve in {self.folder} yet{rejected}; "
            "'kedro run' trains one, 'kedro run --pipelines export' exports it"
        )

    def refresh(self) -> None:
        """Load the latest version that passes its checks, unless it is the current one.

        Rejected versions are not tried again.
        """
        # A version is complete once its description exists, which is written after the model.
        for version in list_versions(self.folder / f"{self.name}_onnx.json"):
            if self.current is not None and version <= self.current.version:
                return
            if version in self.rejected:
                continue
            try:
                self.current = load_model(self.folder, self.name, version)
            except InputError as error:
                self.rejected[version] = str(error)
                logger.warning("Model %s is not served: %s", version, error)
            else:
                logger.info("Serving model %s %s.", self.name, version)
                return

    def watch(self, seconds: float) -> None:
        """Refresh at this interval, in a daemon thread."""
        pause = threading.Event()

        def refresh_forever() -> None:
            while not pause.wait(seconds):
                try:
                    self.refresh()
                except OSError as error:
                    logger.warning("Cannot look for new models: %s", error)

        threading.Thread(target=refresh_forever, name="models", daemon=True).start()


def load_model(folder: Path, name: str, version: str) -> Model:
    """Load one version and check that it predicts what its description says.

    Raises:
        InputError: if a file is missing, corrupt, too large or fails the checks.
    """
    path = version_path(folder / f"{name}.onnx", version)
    description_path = version_path(folder / f"{name}_onnx.json", version)
    try:
        description = json.loads(description_path.read_bytes())
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{path}: too large: expected at most {_MAX_BYTES:,} bytes.")
        file = path.read_bytes()
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read ({error.strerror}).") from error
    except ValueError as error:
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
    ]
    if found != expected:
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
