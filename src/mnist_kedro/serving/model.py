"""The model that is served: found, checked, and replaced while requests are answered."""

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

logger = logging.getLogger(__name__)

_MAX_BYTES = 500_000_000
_TOLERANCE = 1e-3  # of a probability: other processors round in other ways
_DESCRIBED = {"sha256", "accuracy", "accuracy_ci95", "test_digits", "confidence_threshold", "data"}


@dataclass(frozen=True)
class Model:
    """One version of a network, ready to be asked."""

    name: str
    version: str
    description: Mapping[str, Any]  # as `kedro run --pipelines export` wrote it
    session: onnxruntime.InferenceSession

    def probabilities(self, pixels: Pixels) -> NDArray[np.float32]:
        """``(n, 28, 28)`` bytes → ``(n, 10)``."""
        return self.session.run(None, {"pixels": pixels[..., np.newaxis]})[0]


class ModelStore:
    """The newest version of a model that passes its checks.

    ``kedro run --pipelines export`` adds versions beside; :meth:`refresh` takes them over. Whoever
    has :attr:`current` keeps it for as long as needed.
    """

    def __init__(self, folder: Path, name: str) -> None:
        """Looks for nothing yet.

        Args:
            folder: ``data/06_models``.
            name: of the model, as ``cnn``.
        """
        self.folder, self.name = folder, name
        self.current: Model | None = None
        self.refused: dict[str, str] = {}  # versions, and why

    @property
    def reason(self) -> str:
        """Why there is no model."""
        why = "".join(f"; {version} was refused: {why}" for version, why in self.refused.items())
        return (
            f"no model '{self.name}' to serve in {self.folder} yet{why}; "
            "'kedro run' trains one, 'kedro run --pipelines export' exports it"
        )

    def refresh(self) -> None:
        """Take the newest version that there is, if it passes its checks; else keep the one before.

        A version that was refused is not tried again.
        """
        for version in self._versions():
            if self.current is not None and version <= self.current.version:
                return
            if version in self.refused:
                continue
            try:
                self.current = load_model(self.folder, self.name, version)
            except InputError as error:
                self.refused[version] = str(error)
                logger.warning("Model %s is not served: %s", version, error)
            else:
                logger.info("Serving model %s %s.", self.name, version)
                return

    def watch(self, seconds: float) -> None:
        """Refresh every so often, in a thread that ends with the program."""
        pause = threading.Event()

        def look() -> None:
            while not pause.wait(seconds):
                try:
                    self.refresh()
                except OSError as error:
                    logger.warning("Models cannot be looked for: %s", error)

        threading.Thread(target=look, name="models", daemon=True).start()

    def _versions(self) -> list[str]:
        """Whole ones, newest first: the description is written after the file."""
        folder = self.folder / f"{self.name}_onnx.json"
        if not folder.is_dir():
            return []
        found = [path.name for path in folder.iterdir() if (path / folder.name).is_file()]
        return sorted(found, reverse=True)


def load_model(folder: Path, name: str, version: str) -> Model:
    """Load one version and see that it does what its description says.

    Raises:
        InputError: naming the file and what is wrong with it.
    """
    path = folder / f"{name}.onnx" / version / f"{name}.onnx"
    described = folder / f"{name}_onnx.json" / version / f"{name}_onnx.json"
    try:
        description = json.loads(described.read_bytes())
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{path}: larger than {_MAX_BYTES:,} bytes.")
        file = path.read_bytes()
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read ({error.strerror}).") from error
    except ValueError as error:
        raise InputError(f"{described}: not JSON ({error}).") from error
    if not isinstance(description, dict) or (missing := _DESCRIBED - description.keys()):
        lacking = ", ".join(sorted(missing)) if isinstance(description, dict) else "everything"
        raise InputError(f"{described}: {lacking} is missing; 'kedro run --pipelines export'.")
    if hashlib.sha256(file).hexdigest() != description["sha256"]:
        raise InputError(f"{path}: damaged, or not what {described} is about (SHA-256 differs).")
    model = Model(name, version, description, _open(file, path))
    _check_itself(model, path)
    return model


def _open(file: bytes, path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # requests run side by side
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # of many types, of which none is public
        raise InputError(f"{path}: no ONNX model ({str(error).splitlines()[0]}).") from error
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


def _check_itself(model: Model, path: Path) -> None:
    """Does it say of its examples, on this machine, what it said where it was made?"""
    try:
        examples = model.description["examples"]
        pixels = np.stack([example_pixels(example) for example in examples])
        expected = np.array([example["probabilities"] for example in examples], np.float32)
        found = model.probabilities(pixels)
        difference = float(np.abs(found - expected).max())
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: its description has no examples to check it with.") from error
    except Exception as error:  # of ONNX Runtime, as above
        raise InputError(f"{path}: cannot be run ({str(error).splitlines()[0]}).") from error
    if not difference <= _TOLERANCE:
        raise InputError(
            f"{path}: self-check failed; probabilities differ from those of its description "
            f"by {difference:.2g}."
        )


def example_pixels(example: Mapping[str, Any]) -> Pixels:
    """The ``(28, 28)`` bytes of one of a description's examples."""
    data = base64.b64decode(example["pixels"], validate=True)
    return np.frombuffer(data, np.uint8).reshape(IMAGE_SIDE, IMAGE_SIDE)
