"""Classify single digits with OCR programs: ``python -m benchmarks.ocr FOLDER…``.

The programs are RapidOCR (``pip install rapidocr onnxruntime``), whose output is restricted to one
of the ten digits, and Tesseract (``apt-get install tesseract-ocr``) in the best of four modes.
Programs that are not installed are skipped. Writes ``benchmarks/results/ocr.md``. Use the same
folders as for ``benchmarks.pictures`` to compare the results.
"""

import argparse
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.pictures import DESCRIPTIONS, is_chosen, label_of
from mnist_kedro.machine import processor
from mnist_kedro.metrics.classification import wilson_interval

_RESULTS = Path(__file__).parent / "results" / "ocr.md"
# Values of Tesseract's option --psm.
_MODES = {6: "a block", 8: "a word", 10: "a character", 13: "a line"}

Reader = Callable[[Path], str]  # returns the digit, or an empty string


def main() -> None:
    """Measure all programs on all folders, and write a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ocr", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--numbers", choices=("all", "even", "odd"), default="all")
    options = parser.parse_args()
    lines = []
    for folder in options.folders:
        files = [file for file in sorted(folder.rglob("*")) if is_chosen(file, options.numbers)]
        for name, readers in _installed():
            line = max((_measure(reader, files) for reader in readers), key=lambda row: row[0])
            lines.append(_format(name, folder, *line))
            print(lines[-1])
    _RESULTS.write_text(
        "# OCR programs on the same pictures\n\n"
        f"{DESCRIPTIONS[options.numbers]}. {processor()}; time in milliseconds per picture.\n\n"
        "| program | pictures | n | correct | 95% interval | no digit found | ms |\n"
        "|---|---|---|---|---|---|---|\n" + "\n".join(lines) + "\n"
    )


def _installed() -> Iterator[tuple[str, list[Reader]]]:
    if find_spec("rapidocr"):
        yield f"RapidOCR {version('rapidocr')}, one of ten digits", [_rapidocr()]
    if program := shutil.which("tesseract"):
        first = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        name = first.stdout.split()[1]
        yield f"Tesseract {name}, digits", [_tesseract(program, mode) for mode in _MODES]


def _rapidocr() -> Reader:
    from rapidocr import RapidOCR

    engine = RapidOCR(params={"Global.log_level": "error"})
    # Load the network before the first measurement.
    engine.recognize_txt([np.zeros((48, 48, 3), np.uint8)])
    recognizer: Any = engine.text_rec
    characters = recognizer.postprocess_op.character
    columns = [characters.index(str(digit)) for digit in range(10)]

    def read(file: Path) -> str:
        picture = np.asarray(Image.open(file).convert("RGB"))
        height, width, _ = picture.shape
        prepared = recognizer.resize_norm_img(picture, max(320 / 48, width / height))
        # The shape is (1, positions, characters): take the most probable digit at any position.
        probabilities = recognizer.session(prepared[np.newaxis].astype(np.float32))
        return str(probabilities[0][:, columns].max(axis=0).argmax())

    return read


def _tesseract(program: str, mode: int) -> Reader:
    options = ["--psm", str(mode), "-c", "tessedit_char_whitelist=0123456789"]

    def read(file: Path) -> str:
        command = [program, str(file), "-", *options]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    return read


def _measure(reader: Reader, files: list[Path]) -> tuple[int, int, int, float]:
    start = time.perf_counter()
    found = [reader(file) for file in files]
    milliseconds = 1000 * (time.perf_counter() - start) / len(files)
    right = sum(text == label_of(file) for text, file in zip(found, files, strict=True))
    return right, len(files), found.count(""), milliseconds


def _format(name: str, folder: Path, right: int, total: int, nothing: int, ms: float) -> str:
    low, high = wilson_interval(right, total)
    return (
        f"| {name} | `{folder.name}/` | {total} | **{right / total:.1%}** | {low:.1%}–{high:.1%} "
        f"| {nothing} | {ms:.1f} |"
    )


if __name__ == "__main__":
    main()
