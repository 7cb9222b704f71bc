"""Classify digits on real and simulated paper: ``python -m benchmarks.pictures FOLDER…``.

A folder contains pictures whose names start with the digit, such as ``7_phone_0286.jpg``, or a
subfolder for each digit. Needs an exported model; writes ``benchmarks/results/pictures.md``.
"""

import argparse
import platform
import re
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from benchmarks.non_digits import (
    draw_letters,
    draw_nothing,
    draw_scribbles,
    draw_shapes,
    find_fonts,
)
from benchmarks.paper_styles import STYLES, write_on_paper
from benchmarks.strings import write_string
from mnist_kedro.machine import processor
from mnist_kedro.metrics.classification import wilson_interval
from mnist_kedro.pictures import decode_picture, find_digits
from mnist_kedro.pictures.decode import GrayPicture
from mnist_kedro.pictures.digit import prepare
from mnist_kedro.serving.model import Model, ModelStore
from mnist_kedro.versions import latest_version

_RESULTS = Path(__file__).parent / "results" / "pictures.md"
DESCRIPTIONS = {  # values of --numbers
    "all": "All pictures in the folders",
    "even": "Pictures in the folders that have even numbers",
    "odd": "Pictures in the folders that have odd numbers",
}
_LABEL = re.compile(r"(?:^|/)(?:truth)?([0-9])[/_][^/]*$")
_NUMBER = re.compile(r"([0-9]+)\.[a-z]+$")


class Row(NamedTuple):
    """Results for a set of pictures of digits."""

    name: str
    right: int
    total: int
    refused: int
    sure_and_wrong: int
    flagged: int  # pictures flagged as non-digits
    covered: int  # pictures whose label is among the candidates
    candidates: float  # mean number of candidates
    milliseconds: float  # for the preparation of a picture


class Flagged(NamedTuple):
    """Results for a set of pictures without a digit."""

    name: str
    flagged: int  # pictures flagged as non-digits, or blank
    total: int


def main() -> None:
    """Measure the folders and the simulated sets, and write a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pictures", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--data", default=Path("data"), type=Path)
    parser.add_argument("--numbers", choices=("all", "even", "odd"), default="all")
    parser.add_argument(
        "--fonts", default="/usr/share/fonts", type=Path, help="folder of fonts, for letters"
    )
    parser.add_argument(
        "--count", default=500, type=int, help="number of pictures in each simulated set"
    )
    options = parser.parse_args()
    store = ModelStore(options.data / "06_models", "cnn")
    store.refresh()
    if store.current is None:
        raise SystemExit(f"Error: {store.unavailable_reason}")
    rows = [*_shown(_measure(store.current, options))]
    flagged = [*_shown(_measure_non_digits(store.current, options))]
    _RESULTS.write_text(_report(rows, flagged, store.current, options.numbers))


def _shown(rows: Iterable[Any]) -> Iterator[Any]:
    for row in rows:
        print(row)
        yield row


def _measure(model: Model, options: argparse.Namespace) -> Iterator[Row]:
    for folder in options.folders:
        files = [file for file in sorted(folder.rglob("*")) if is_chosen(file, options.numbers)]
        labels = [int(label_of(file)) for file in files]
        pictures = [decode_picture(file.read_bytes()) for file in files]
        yield _read(model, f"`{folder.name}/`", pictures, labels)
    with h5py.File(latest_version(options.data / "05_model_input" / "test.hdf5")) as test:
        rows = np.random.default_rng(0).permutation(len(test["labels"]))[: options.count]
        digits = test["images"][:][rows].reshape(-1, 28, 28)
        labels = test["labels"][:][rows].tolist()
    yield _read(model, "MNIST's test digits", digits, labels)
    for style in STYLES:
        random = np.random.default_rng(0)
        yield _read(model, style, [write_on_paper(d, style, random) for d in digits], labels)
    for touching in (0.0, 0.2):
        yield _read_strings(model, digits, labels, touching, options.count)


def label_of(file: Path) -> str:
    """Return the digit in the name of a file or of its folder."""
    found = _LABEL.search(file.as_posix())
    if found is None:
        raise SystemExit(f"Error: {file}: expected a name such as 7_phone_0286.jpg or 7/0286.jpg.")
    return found[1]


def is_chosen(file: Path, numbers: str) -> bool:
    """Return whether a file belongs to the ``all``, ``even`` or ``odd`` numbers."""
    number = _NUMBER.search(file.name)
    if numbers == "all" or number is None:
        return file.is_file()
    return file.is_file() and int(number[1]) % 2 == (numbers == "odd")


def _read(model: Model, name: str, pictures: Iterable[GrayPicture], labels: list[int]) -> Row:
    start = time.perf_counter()
    prepared = [prepare(picture) for picture in pictures]
    seconds = time.perf_counter() - start
    found = [digit for digit in prepared if digit is not None]
    known = np.array([y for y, digit in zip(labels, prepared, strict=True) if digit is not None])
    in_mnist_form = np.array([digit.in_mnist_form for digit in found])
    calibrated = model.predict(np.stack([digit.pixels for digit in found]), in_mnist_form)
    wrong, flagged = calibrated.digits != known, ~np.array(calibrated.is_digit, bool)
    confidences = calibrated.probabilities.max(axis=1)
    sure = (confidences >= model.confidence_thresholds(in_mnist_form)) & ~flagged
    return Row(
        name,
        right=int((~wrong).sum()),
        total=len(prepared),
        refused=len(prepared) - len(found),
        sure_and_wrong=int((wrong & sure).sum()),
        flagged=int(flagged.sum()),
        covered=sum(y in some for y, some in zip(known, calibrated.candidates, strict=True)),
        candidates=float(np.mean([len(some) for some in calibrated.candidates])),
        milliseconds=1000 * seconds / len(prepared),
    )


def _read_strings(
    model: Model, digits: GrayPicture, labels: list[int], touching: float, count: int
) -> Row:
    random = np.random.default_rng(0)
    right, refused, seconds = 0, 0, 0.0
    for _ in range(count):
        picture, text = write_string(digits, labels, touching, random)
        start = time.perf_counter()
        found = find_digits(picture)
        seconds += time.perf_counter() - start
        refused += not found
        if found:
            read = model.probabilities(np.stack([digit.pixels for digit in found])).argmax(axis=1)
            right += "".join(map(str, read)) == text
    name = "strings of 2–10 digits" + (", a fifth of the pairs touching" if touching else "")
    return Row(name, right, count, refused, 0, 0, right, 1, 1000 * seconds / count)


def _measure_non_digits(model: Model, options: argparse.Namespace) -> Iterator[Flagged]:
    random = np.random.default_rng(0)
    fonts = find_fonts(options.fonts, 25)
    for name, pictures in {
        "blank paper and noise": draw_nothing(options.count, random),
        "scribbles": draw_scribbles(options.count, random),
        "rectangles, triangles, × and +": draw_shapes(options.count, random),
        f"letters, {len(fonts)} fonts": draw_letters(fonts),
    }.items():
        prepared = [prepare(picture) for picture in pictures]
        found = [digit for digit in prepared if digit is not None]
        flagged = 0
        if found:
            pixels = np.stack([digit.pixels for digit in found])
            calibrated = model.predict(pixels, np.zeros(len(found), bool))
            flagged = calibrated.is_digit.count(False)
        yield Flagged(name, len(prepared) - len(found) + flagged, len(prepared))


def _report(rows: list[Row], flagged: list[Flagged], model: Model, numbers: str) -> str:
    non_digits = "\n".join(
        "| {} | {:,} | **{:.1%}** | {:.1%}–{:.1%} |".format(
            row.name, row.total, row.flagged / row.total, *wilson_interval(row.flagged, row.total)
        )
        for row in flagged
        if row.total
    )
    table = "\n".join(
        "| {} | {} | **{:.1%}** | {:.1%}–{:.1%} | {} | {} | {} | {:.1%} | {:.2f} | {:.1f} |".format(
            row.name,
            row.total,
            row.right / row.total,
            *wilson_interval(row.right, row.total),
            row.refused,
            row.sure_and_wrong,
            row.flagged,
            row.covered / row.total,
            row.candidates,
            row.milliseconds,
        )
        for row in rows
    )
    return (
        "# Accuracy on pictures\n\n"
        f"{DESCRIPTIONS[numbers]}. Model {model.version}, test accuracy "
        f"{model.description['accuracy']:.2%} ({model.description['test_digits']:,} digits). A "
        "string is correct if all of its digits are found and classified correctly, in order. "
        "*Sure but wrong* counts misclassified digits that the model was sure of, *flagged* counts "
        "pictures flagged as non-digits, and *covered* is the share of pictures whose label is "
        "among the candidates. The time, in milliseconds per picture on one core, is that of the "
        "preparation.\n"
        f"{datetime.now(tz=UTC):%Y-%m-%d}, {processor()}, Python {platform.python_version()}; "
        "created by `python -m benchmarks.pictures`.\n\n"
        "| pictures | n | correct | 95% interval | no digit found | sure but wrong | flagged | "
        "covered | candidates | ms |\n"
        f"|---|---|---|---|---|---|---|---|---|---|\n{table}\n\n"
        "| non-digits | n | flagged or blank | 95% interval |\n"
        f"|---|---|---|---|\n{non_digits}\n"
    )


if __name__ == "__main__":
    main()
