"""Follow the advice of each refusal to the letter: then the file is ingested."""

import re
import zipfile
from typing import Any

import h5py
import numpy as np
import pytest
from PIL import Image

from mnist_kedro.errors import InputError
from mnist_kedro.sources import read_mnist
from mnist_kedro.sources.layout import KEYS
from tests.support.files import write_mnist
from tests.support.parameters import ingestion

RANDOM = np.random.default_rng(0)


def changed(**changes):
    """Arrays of the sample, with some of them changed by functions, or left out by None."""

    def build(mnist):
        arrays = {key: mnist[key] for key in KEYS}
        for key, change in changes.items():
            if change is None:
                del arrays[key]
            else:
                arrays[key] = change(arrays[key])
        return arrays

    return build


def renamed(*names):
    return lambda mnist: {
        name: mnist[key] for name, key in zip(names, KEYS, strict=True) if name is not None
    }


def at(place, value, dtype=None):
    def change(array):
        array = array.astype(dtype or array.dtype)
        array[place] = value
        return array

    return change


def both(change):
    return changed(x_train=change, x_test=change)


def unit(images):
    lengths = np.sqrt((images.astype(float) ** 2).sum(axis=1, keepdims=True))
    return images / np.where(lengths == 0, 1, lengths)


def low_half(images):
    """Scale each image differently, so that no range shows what full ink is."""
    return images / 255 * np.linspace(0.1, 0.6, len(images))[:, np.newaxis, np.newaxis]


def half_transposed(images):
    images = images.copy()
    images[::2] = images[::2].transpose(0, 2, 1)
    return images


def few_letters(images):
    return RANDOM.integers(0, 2, images.shape).astype(np.uint8) * 255


def without(*digits):
    def build(mnist):
        kept = {split: ~np.isin(mnist[f"y_{split}"], digits) for split in ("train", "test")}
        return {key: mnist[key][kept[key[2:]]] for key in KEYS}

    return build


# A file, what its refusal says, and who follows it: the options that it names, or a change of the
# arrays that it asks for.
REFUSED: dict[str, tuple[Any, str, Any]] = {
    "unknown names": (
        renamed("a", "b", "c", "d"),
        "unknown layout",
        {"x_train": "a", "y_train": "b", "x_test": "c", "y_test": "d"},
    ),
    "further images": (
        renamed("x_train", "y_train", "x_foo", "z_foo"),
        "'x_foo' holds more images with labels",
        {"x_train": "x_train", "y_train": "y_train", "x_test": "x_foo", "y_test": "z_foo"},
    ),
    "two arrays for one role": (
        lambda mnist: {**changed()(mnist), "train_images": mnist["x_train"]},
        "both seem to be the train images",
        {key: key for key in KEYS},
    ),
    "two sets": (
        lambda mnist: {f"{one}/{key}": mnist[key] for one in "ab" for key in KEYS},
        "holds 2 sets of digits",
        {key: f"b/{key}" for key in KEYS},
    ),
    "test images missing": (
        changed(x_test=None),
        "add the images, or remove the labels",
        changed(x_test=None, y_test=None),
    ),
    "labels of another length": (
        changed(y_train=lambda labels: labels[:-1]),
        "save a label for each image",
        changed(),
    ),
    "labels of a wrong type": (
        changed(y_train=lambda labels: labels.astype(complex)),
        "save them as integers",
        changed(),
    ),
    "a label of ten": (changed(y_train=at(7, 10)), "remove or correct these digits", changed()),
    "images of another size": (
        both(lambda images: images[:, ::2, ::2]),
        "save images of 28 × 28 pixels",
        changed(),
    ),
    "an empty split": (
        changed(x_test=lambda a: a[:0], y_test=lambda a: a[:0]),
        "remove it, or add images",
        changed(x_test=None, y_test=None),
    ),
    "colors": (
        both(lambda images: np.stack([images, images // 2, images], axis=-1)),
        "convert them to gray: the mean of the channels of each pixel",
        both(lambda images: np.stack([images, images // 2, images], axis=-1).mean(axis=-1)),
    ),
    "unequal padding": (
        both(lambda images: np.pad(images, ((0, 0), (1, 3), (1, 3)))),
        "padded equally on all sides",
        changed(),
    ),
    "ink in the padding": (
        both(lambda images: np.pad(images, ((0, 0), (2, 2), (2, 2)), mode="wrap")),
        "scale them to 28 × 28",
        changed(),
    ),
    "NaN": (
        changed(x_train=lambda a: at((3, 4, 5), np.nan)(a / 255), x_test=lambda a: a / 255),
        "correct these pixels, or remove these images",
        both(lambda images: images / 255),
    ),
    "a pixel of 300": (
        changed(x_train=at((9, 1, 2), 300, np.int64)),
        "correct these pixels, or remove these images",
        changed(),
    ),
    "unknown range": (
        both(low_half),
        r"--params 'ingestion.pixel_range=\[LOW,HIGH\]'",
        {"pixel_range": [0, 1]},
    ),
    "another range for the test digits": (
        changed(x_test=lambda images: images / 255),
        "scale the images of all splits alike",
        changed(),
    ),
    "unit length": (both(unit), "save the images before they are normalized", changed()),
    "two orientations": (
        changed(x_train=half_transposed),
        "store all images alike",
        changed(),
    ),
    "other labels": (
        changed(y_train=lambda y: (y + 1) % 10, y_test=lambda y: (y + 1) % 10),
        "labels stand for other digits",
        None,
    ),
    "displaced labels": (
        changed(y_train=lambda labels: np.roll(labels, 1)),
        r"np.roll\(labels, -1\) moves them back",
        changed(y_train=lambda labels: np.roll(np.roll(labels, 1), -1)),
    ),
    "no digits": (both(few_letters), "to ingest it as it is, add", None),
    "missing classes": (without(3, 5), "to ingest it anyway, add", None),
    "too many digits": (
        changed(),
        "to read them, add --params ingestion.max_digits=1000",
        None,
    ),
}


def options_in(message):
    """Return the first options that a message names, as the command line reads them."""
    text = re.search(r"--params '?(\S*[^\s';.,])", message)[1]
    options = {}
    for name, value in re.findall(r"ingestion\.(\w+)=(\[[^]]*\]|\w+)", text):
        numbers = [int(number) for number in value[1:-1].split(",")] if value[0] == "[" else None
        options[name] = numbers or {"true": True}.get(
            value, int(value) if value.isdigit() else value
        )
    return options


@pytest.mark.parametrize("name", REFUSED)
def test_the_advice_of_a_refusal_works(tmp_path, mnist, name):
    build, expected, remedy = REFUSED[name]
    limit = {"max_digits": 900} if name == "too many digits" else {}

    def ingest(arrays, **options):
        with h5py.File(tmp_path / "x.hdf5", "w") as file:
            for key, array in arrays.items():
                file[key] = array
        return read_mnist(ingestion(tmp_path / "x.hdf5", **{**limit, **options}))

    with pytest.raises(InputError, match=expected) as refused:
        ingest(build(mnist))
    message = str(refused.value)
    assert "\n" not in message
    assert message.startswith(str(tmp_path / "x.hdf5"))
    if remedy is None:
        result = ingest(build(mnist), **options_in(message))
    elif callable(remedy):
        result = ingest(remedy(mnist))
    elif "pixel_range" in remedy:
        result = ingest(build(mnist), **remedy)
    else:
        assert "--params ingestion.keys.x_train=…,ingestion.keys.y_train=…" in message
        result = ingest(build(mnist), keys=remedy)
    assert len(result["y_train"])


def zipped(folder, mnist):
    np.savez(folder / "mnist.npz", **{key: mnist[key] for key in KEYS})
    with zipfile.ZipFile(folder / "mnist.zip", "w") as archive:
        archive.write(folder / "mnist.npz", "mnist.npz")
    (folder / "mnist.npz").unlink()
    return folder / "mnist.zip"


def unzip(path):
    target = path.parent / "unzipped"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(target)
    return target


def one_of_four(folder, mnist):
    write_mnist(folder / "idx", mnist)
    return folder / "idx" / "train-images-idx3-ubyte.gz"


def two_data_sets(folder, mnist):
    for name in ("a.npz", "b.hdf5"):
        write_mnist(folder / name, mnist)
    return folder


def one_picture(folder, mnist):
    for split in ("train", "test"):
        for row in range(60):
            target = folder / split / str(mnist[f"y_{split}"][row]) / f"{row}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(mnist[f"x_{split}"][row]).save(target)
    return next(folder.rglob("*.png"))


def wide_table(folder, mnist):
    table = np.column_stack([mnist["y_train"], mnist["x_train"].reshape(-1, 784)])
    np.savetxt(folder / "mnist.csv", np.c_[table, table[:, :3]], fmt="%d", delimiter=",")
    return folder / "mnist.csv"


def without_columns(path):
    lines = [line.split(",")[:785] for line in path.read_text().splitlines()]
    path.write_text("\n".join(map(",".join, lines)))
    return path


def nothing(folder, _mnist):
    return folder / "mnist.hdf5"


FILES: dict[str, tuple[Any, str, Any]] = {
    "a zip archive": (zipped, "unzip it, and set the folder", unzip),
    "one of the IDX files": (one_of_four, "set the folder with all four", None),
    "two data sets": (two_data_sets, "name the one to use: --params", None),
    "one picture": (
        one_picture,
        "set a folder with sub-folders 0–9 of pictures",
        lambda path: path.parents[2],
    ),
    "too many columns": (wide_table, "remove or add columns", without_columns),
    "no file": (nothing, "docs/data.md lists", lambda _: "sample"),
}


@pytest.mark.parametrize("name", FILES)
def test_the_advice_about_a_file_works(tmp_path, mnist, name):
    build, expected, remedy = FILES[name]
    source = build(tmp_path, mnist)
    with pytest.raises(InputError, match=expected) as refused:
        read_mnist(ingestion(source))
    message = str(refused.value)
    assert "\n" not in message
    assert message.startswith(str(source))
    advised = re.search(r"--params ingestion\.source=(\S+?)[.;]?$", message)
    better = remedy(source) if remedy else advised[1]
    assert len(read_mnist(ingestion(better, allow_missing_classes=True))["y_train"])
