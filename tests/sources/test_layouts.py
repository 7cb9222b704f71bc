"""Every layout, in every form of pixels and labels that it can be combined with."""

from itertools import combinations, product
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_kedro.errors import InputError
from mnist_kedro.sources import read_mnist
from mnist_kedro.sources.contents import Contents, FuelRange, describe_array
from mnist_kedro.sources.layout import KEYS
from mnist_kedro.sources.read import read_contents
from tests.support.parameters import ingestion
from tests.support.paths import FULL_MNIST, needs_full_mnist

TRAIN, VALIDATION, TEST = slice(0, 40), slice(40, 50), slice(50, 70)
ALL = {"train": slice(0, 50), "test": TEST}
THREE = {"train": TRAIN, "validation": VALIDATION, "test": TEST}


def named(pattern, splits, images, labels, **names):
    """Datasets under such names: {0} the split's, {1} the role's."""

    def build(x, y):
        return {
            pattern.format(names.get(split, split), role): array[rows]
            for split, rows in splits.items()
            for role, array in ((images, x), (labels, y))
        }

    return build


def pooled(images, labels):
    return lambda x, y: {images: x, labels: y}


# Of facts on files met in the wild: how each names its arrays.
NAMED = {
    "x_train y_train": named("{1}_{0}", ALL, "x", "y"),
    "X_TRAIN Y_TRAIN": named("{1}_{0}", ALL, "X", "Y", train="TRAIN", test="TEST"),
    "x_train t_train": named("{1}_{0}", ALL, "x", "t"),
    "train_images": named("{0}_{1}", ALL, "images", "labels"),
    "train images": named("{0} {1}", ALL, "images", "labels"),
    "Train Image": named("{0} {1}", ALL, "Image", "Label", train="Train", test="Test"),
    "train_x dev_x": named("{0}_{1}", THREE, "x", "y", validation="dev"),
    "trainX": named("{0}{1}", ALL, "X", "Y"),
    "TRAINX": named("{0}{1}", ALL, "X", "Y", train="TRAIN", test="TEST"),
    "train_input": named("{0}_{1}", ALL, "input", "output"),
    "train/images": named("{0}/{1}", ALL, "images", "labels"),
    "train/input": named("{0}/{1}", ALL, "input", "output"),
    "train/inputs": named("{0}/{1}", ALL, "inputs", "targets"),
    "train/data": named("{0}/{1}", ALL, "data", "label"),
    "training_data": named(
        "{0}_data/{1}", THREE, "images", "labels", train="training", validation="validation"
    ),
    "IDX names": named("{0}-{1}-idx-ubyte", ALL, "images", "labels", test="t10k"),
    "IDX names of folders": named("raw/{0}-{1}", ALL, "images-idx3", "labels-idx1", test="t10k"),
    "EMNIST": named("emnist-digits-{0}-{1}-ubyte", ALL, "images-idx3", "labels-idx1"),
    "t10k": named("{0}_{1}", ALL, "images", "labels", test="t10k"),
    "eval": named("{1}_{0}", ALL, "x", "y", test="eval"),
    "holdout": named("{1}_{0}", ALL, "x", "y", test="holdout"),
    "X y X_test": named("{1}{0}", ALL, "X", "y", train="", test="_test"),
    "train_img": named("{0}_{1}", ALL, "img", "label"),
    "train train_labels": named("{0}{1}", ALL, "", "_labels"),
    "Xtr Xte": named("{1}{0}", ALL, "X", "y", train="tr", test="te"),
    "trData teData": named("{0}{1}", ALL, "Data", "Labels", train="tr", test="te"),
    "train_dataset": named("{0}_{1}", ALL, "dataset", "labels"),
    "CSV files": named("mnist_{0}/{1}", ALL, "pixels", "label"),
    "parquet files": named("{0}-00000-of-00001/{1}", ALL, "image", "label"),
    "an EMNIST struct": named("dataset/{0}/{1}", ALL, "images", "labels"),
    "names of one role each": named("{0}/{1}", ALL, "a", "b"),
    "mnist/train/x": named("mnist/{0}/{1}", ALL, "x", "y"),
}
BRAINSTORM = named("normalized_full/{0}/{1}", ALL, "default", "targets", train="training")
NO_TEST = {
    "x_train alone": named("{1}_{0}", {"train": slice(None)}, "x", "y"),
    "images labels": pooled("images", "labels"),
    "X y": pooled("X", "y"),
    "caffe": pooled("data", "label"),
    "samples labels": pooled("samples", "labels"),
    "digits labels": pooled("digits", "labels"),
    "imgs": pooled("imgs", "lbls"),
    "Xt yt": pooled("Xt", "yt"),
    "other words": pooled("some", "thing"),
}

SHAPES = {
    "(n, 28, 28)": lambda x: x,
    "(n, 784)": lambda x: x.reshape(-1, 784),
    "(n, 28, 28, 1)": lambda x: x[..., np.newaxis],
    "(n, 1, 28, 28)": lambda x: x[:, np.newaxis],
    "(n, 28, 28, 3)": lambda x: np.repeat(x[..., np.newaxis], 3, axis=-1),
    "(n, 3, 28, 28)": lambda x: np.repeat(x[:, np.newaxis], 3, axis=1),
    "(n, 32, 32)": lambda x: np.pad(x, ((0, 0), (2, 2), (2, 2)), constant_values=x[0, 0, 0]),
}
SCALES = {
    "0–255": lambda x: x,
    "0–255 int64": lambda x: x.astype(np.int64),
    "0–255 float": lambda x: x.astype(np.float32),
    "0–1": lambda x: x / np.float32(255),
    "0–1 double": lambda x: x / 255,
    "0–1 half": lambda x: (x / 255).astype(np.float16),
    "0–255/256": lambda x: x / np.float32(256),
    "−1…1": lambda x: x / np.float32(127.5) - 1,
    "−0.5…0.5": lambda x: x / 255 - 0.5,
    "standardized": lambda x: (x / np.float32(255) - np.float32(0.1307)) / np.float32(0.3081),
    "0–65535": lambda x: x.astype(np.uint16) * 257,
    "0–100 float": lambda x: x / 2.55,
    "−1…1 half": lambda x: (x / 127.5 - 1).astype(np.float16),
}
INKS = {"": lambda x: x, "inverted": lambda x: 255 - x}
LABELS = {
    "(n,)": lambda y: y,
    "(n, 1) int64": lambda y: y[:, np.newaxis].astype(np.int64),
    "one-hot": lambda y: np.eye(10, dtype=np.float32)[y],
    "unicode": lambda y: y.astype("U1"),
    "one-hot −1, 1": lambda y: 2 * np.eye(10)[y] - 1,
    "one-hot, smoothed": lambda y: np.where(np.eye(10)[y] == 1, 0.99, 0.01),
    "one-hot bool": lambda y: np.eye(10, dtype=bool)[y],
    "float": lambda y: y.astype(np.float64),
    "bytes": lambda y: y.astype("S1"),
    "padded bytes (n, 1)": lambda y: y.astype("S4")[:, np.newaxis],
}
FORMS = list(product(SHAPES, SCALES, INKS, LABELS))
MANY = FORMS[::11]  # 11 divides no number of values, so each has all others beside it
SAMPLE = [  # of all forms, with each pair of a value of one factor and a value of another
    ([*SHAPES][(i + j) % len(SHAPES)], scale, [*INKS][(i // 2 + j) % 2], label)
    for i, scale in enumerate(SCALES)
    for j, label in enumerate(LABELS)
]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(SAMPLE, id="pairs"),
        pytest.param(MANY, id="many forms", marks=pytest.mark.slow),
    ],
)
def forms(request):
    """Forms of pixels and labels: each pair of values, or many combinations."""
    return request.param


def test_the_sample_has_each_pair_of_values():
    for one, other in combinations(range(4), 2):
        assert {(form[one], form[other]) for form in SAMPLE} == {
            (form[one], form[other]) for form in FORMS
        }


@pytest.fixture(scope="module")
def few(mnist):
    """70 digits, each ten of them one of each class."""
    of_class = [np.flatnonzero(mnist["y_train"] == digit)[:7] for digit in range(10)]
    rows = np.transpose(of_class).reshape(-1)
    return mnist["x_train"][rows], mnist["y_train"][rows]


def in_form(few, form):
    (images, labels), (shape, scale, ink, label) = few, form
    return SHAPES[shape](SCALES[scale](INKS[ink](images))), LABELS[label](labels)


def contents(arrays, **others):
    stored = {name: describe_array(name, array) for name, array in arrays.items()}
    return Contents(path=Path("some.hdf5"), arrays=stored, **others)


def read(given, **changes):
    mnist = read_contents(given, "some.hdf5", ingestion("some.hdf5", **changes))
    return SimpleNamespace(arrays=mnist, **{key: mnist[key] for key in ("test_split", "warnings")})


def assert_same(result, few, title):
    images, labels = few
    expected = {
        "x_train": images[ALL["train"]],
        "y_train": labels[ALL["train"]],
        "x_test": images[TEST],
        "y_test": labels[TEST],
    }
    for key in KEYS:
        assert result.arrays[key].dtype == np.uint8, title
        np.testing.assert_array_equal(result.arrays[key], expected[key], err_msg=str(title))


@pytest.mark.parametrize("layout", NAMED)
def test_each_named_layout_in_every_form(few, forms, layout):
    for form in forms:
        result = read(contents(NAMED[layout](*in_form(few, form))))
        assert_same(result, few, (layout, form))
        assert result.test_split == "given"


@pytest.mark.parametrize("layout", NO_TEST)
def test_each_layout_without_a_test_split_in_every_form(few, forms, layout):
    """What is held out to test on is a share of each class; nothing is lost, nothing is twice."""
    images, labels = few
    for form in forms:
        result = read(contents(NO_TEST[layout](*in_form(few, form))), test_fraction=0.3)
        assert len(result.arrays["y_test"]) == 21
        assert set(result.arrays["y_test"]) == set(range(10))
        both = [
            np.concatenate([result.arrays[f"{role}_{split}"] for split in ("train", "test")])
            for role in "xy"
        ]
        assert pairs(*both) == pairs(images, labels)
        assert result.test_split.startswith("held out here")


@pytest.mark.parametrize("shape", ["(n, 28, 28)", "(n, 784)", "(n, 28, 28, 3)"])
@pytest.mark.parametrize("label", ["(n,)", "(n, 1) int64", "one-hot"])
def test_digits_along_the_last_axis(few, shape, label):
    """As MATLAB stores them, and HDF5 files that it writes."""
    arrays = ORDINARY(*in_form(few, (shape, "0–1", "", label)))
    turned = {name: np.moveaxis(array, 0, -1) for name, array in arrays.items()}
    assert_same(read(contents(turned)), few, (shape, label))


def pairs(images, labels):
    return sorted(
        (image.tobytes(), int(label)) for image, label in zip(images, labels, strict=True)
    )


def test_brainstorm_in_every_form(few, forms):
    for form in forms:
        images, labels = in_form(few, form)
        arrays = BRAINSTORM(images, labels)
        halves = named("normalized_split/{0}/{1}", THREE, "default", "targets", train="training")
        both = {**arrays, **halves(images, labels)}
        result = read(contents({name: array[np.newaxis] for name, array in both.items()}))
        assert_same(result, few, form)


def test_fuel_in_every_form(few, forms):
    ranges = tuple(
        FuelRange(split, source, start, stop, scattered=False)
        for split, start, stop in (("train", 0, 40), ("valid", 40, 50), ("test", 50, 70))
        for source in ("features", "targets")
    )
    for form in forms:
        images, labels = in_form(few, form)
        given = contents({"features": images, "targets": labels}, fuel=ranges)
        assert_same(read(given), few, form)


def test_fuel_rows_hold_also_where_there_are_seventy_thousand(seventy_thousand):
    """The rule for all splits in one is not for rows that the file itself has told."""
    images, labels = seventy_thousand
    ranges = tuple(FuelRange("train", name, 0, 50_000, False) for name in ("features", "targets"))
    result = read(contents({"features": images, "targets": labels}, fuel=ranges))
    assert sum(len(result.arrays[key]) for key in ("y_train", "y_test")) == 50_000
    assert result.test_split.startswith("held out here")


def test_refuses_fuel_rows_that_are_not_there_or_listed_one_by_one(few):
    arrays = {"features": few[0], "targets": few[1]}
    for start, stop, scattered, told in (
        (0, 71, False, "Fuel's split 'train' ends at row 71 of 'features' of shape (70, 28, 28)"),
        (0, 50, True, "Fuel's split 'train' lists single rows; expected a start and a stop"),
    ):
        place = FuelRange("train", "features", start, stop, scattered)
        with pytest.raises(InputError) as error:
            read(contents(arrays, fuel=(place,)))
        assert told in str(error.value)


def test_one_dataset_a_digit_in_every_form(few):
    images, labels = few
    for form in product(SHAPES, SCALES, INKS, ["(n,)"]):
        stored, _ = in_form(few, form)
        arrays = {
            f"{split}/{digit}": stored[rows][labels[rows] == digit]
            for split, rows in ALL.items()
            for digit in range(10)
        }
        result = read(contents(arrays))
        for split, rows in ALL.items():
            order = np.argsort(labels[rows], kind="stable")
            np.testing.assert_array_equal(result.arrays[f"y_{split}"], labels[rows][order])
            np.testing.assert_array_equal(result.arrays[f"x_{split}"], images[rows][order])


def test_numbered_arrays(few):
    """As ``numpy.savez`` names arrays that are given without names."""
    images, labels = few
    arrays = [images[:50], labels[:50], images[50:], labels[50:]]
    result = read(contents({f"arr_{number}": array for number, array in enumerate(arrays)}))
    assert_same(result, few, "arr_0 to arr_3")


def test_a_label_and_the_pixels_in_each_row(few):
    """As in CSV files; the label may be the last column, and the rows may be sorted by class."""
    images, labels = few
    table = np.hstack([labels[:, np.newaxis], images.reshape(-1, 784)])
    for rows in (table, np.roll(table, -1, axis=1), table.astype(np.float32)):
        arrays = {"train": rows[:50], "test": rows[50:]}
        assert_same(read(contents(arrays)), few, rows.dtype)
        assert_same(read(contents({name: one.T for name, one in arrays.items()})), few, "turned")
    result = read(contents({"x": table[np.argsort(labels)]}), test_fraction=0.3)
    assert len(result.arrays["y_train"]) == 49


def test_one_pair_of_arrays_a_writer(few):
    """As in the files of TensorFlow Federated, whose paper is white."""
    images, labels = few
    arrays = {}
    for split, rows in ALL.items():
        for writer, own in enumerate(np.array_split(np.arange(70)[rows], 5)):
            group = f"fed_emnist_digitsonly_{split}/examples/f{writer:04}_0{writer}"
            arrays[f"{group}/pixels"] = 1 - images[own] / np.float32(255)
            arrays[f"{group}/label"] = labels[own].astype(np.int32)
    assert_same(read(contents(arrays)), few, "writers")


@pytest.mark.parametrize("name", ["train{}", "train/{}", "train_{}", "digit{}", "{}"])
def test_names_that_end_in_the_digit(few, name):
    images, labels = few
    arrays = {name.format(digit): images[labels == digit] for digit in range(10)}
    result = read(contents(arrays), test_fraction=0.3)
    assert sum(len(result.arrays[f"y_{split}"]) for split in ("train", "test")) == 70


def test_names_of_one_array_are_one(tmp_path, mnist):
    """As in files with hard links."""
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        for key in KEYS:
            file[f"store/{key}"] = mnist[key]
            file[key] = file[f"store/{key}"]
        file["train_images"] = file["x_train"]
    result = read_mnist(ingestion(tmp_path / "x.hdf5"))
    np.testing.assert_array_equal(result["x_test"], mnist["x_test"])
    assert result["warnings"] == "none"


def test_tables_of_pandas(few):
    images, labels = few
    arrays = {}
    for split, rows in ALL.items():
        arrays[f"{split}/table/values_block_0"] = images[rows].reshape(-1, 784)
        arrays[f"{split}/table/values_block_1"] = labels[rows][:, np.newaxis]
    assert_same(read(contents(arrays)), few, "table")
    frames = {name.replace("table/values_block_", "block"): one for name, one in arrays.items()}
    assert_same(read(contents({f"{n}_values": one for n, one in frames.items()})), few, "fixed")


def test_further_labels_are_not_missed_images(few):
    arrays = ORDINARY(*few)
    for split, rows in ALL.items():
        arrays[f"y_{split}_onehot"] = np.eye(10)[few[1][rows]]
    assert_same(read(contents(arrays)), few, "onehot")


def test_an_array_a_digit_beside_a_test_split(few):
    images, labels = few
    arrays = {f"train{digit}": images[:50][labels[:50] == digit] for digit in range(10)}
    result = read(contents({**arrays, "x_test": images[50:], "y_test": labels[50:]}))
    np.testing.assert_array_equal(result.arrays["x_test"], images[50:])
    assert result.test_split == "given"


def test_arrays_that_may_name_splits_are_named(few):
    images, labels = few
    given = contents({"X": images, "y": labels, "is_test": np.arange(70) >= 50})
    assert read(given, test_fraction=0.3).warnings == "'is_test' is not used"


def test_images_without_labels_are_named_and_not_used(few):
    arrays = ORDINARY(*few)
    del arrays["y_test"]
    result = read(contents(arrays), test_fraction=0.3)
    assert result.test_split.startswith("held out here")
    assert result.warnings == "'x_test' is not used"


def test_refuses_to_guess_what_further_images_with_labels_are(few):
    images, labels = few
    arrays = {"x_train": images[:50], "y_train": labels[:50]}
    arrays |= {"x_foo": images[50:], "z_foo": labels[50:]}
    with pytest.raises(InputError, match="'x_foo' holds more images with labels"):
        read(contents(arrays))
    keys = {"x_train": "x_train", "y_train": "y_train", "x_test": "/x_foo", "y_test": "z_foo"}
    assert_same(read(contents(arrays), keys=keys), few, "named")


def test_named_by_hand_in_every_form(few, forms):
    keys = {
        f"{role}_{split}": f"some/{role}{i}"
        for i, split in enumerate(("train", "validation", "test"))
        for role in "xy"
    }
    for form in forms:
        images, labels = in_form(few, form)
        arrays = {
            name: {"x": images, "y": labels}[key[0]][THREE[key[2:]]] for key, name in keys.items()
        }
        assert_same(read(contents(arrays), keys=keys), few, form)


@pytest.fixture(scope="module")
def seventy_thousand(mnist):
    """As many digits as MNIST has: the sample's, over and over."""
    rows = np.arange(70_000) % 800
    return mnist["x_train"][rows], mnist["y_train"][rows]


@pytest.mark.parametrize("layout", NO_TEST)
def test_of_seventy_thousand_in_one_the_last_ten_thousand_are_the_test_digits(
    seventy_thousand, layout
):
    images, labels = seventy_thousand
    result = read(contents(NO_TEST[layout](images.reshape(-1, 784), labels)))
    assert len(result.arrays["y_train"]) == 60_000
    np.testing.assert_array_equal(result.arrays["x_test"], images[60_000:])
    np.testing.assert_array_equal(result.arrays["y_test"], labels[60_000:])
    assert result.test_split == "given"


def test_the_seed_decides_which_digits_are_held_out(few):
    given = contents(pooled("X", "y")(*few))
    one, again, other = (read(given, seed=seed, test_fraction=0.3) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.arrays["x_test"], again.arrays["x_test"])
    assert (one.arrays["x_test"] != other.arrays["x_test"]).any()
    assert "(a fraction of 0.3 of each class, seed 3)" in one.test_split


def write(path, arrays, attributes=None):
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            values = np.asarray(array)
            file[name] = values.astype("S") if values.dtype.kind == "U" else values
        file.attrs.update(attributes or {})
    return path


@pytest.mark.parametrize(("number", "layout"), list(enumerate(NAMED)))
def test_each_named_layout_from_a_file(tmp_path, mnist, number, layout):
    """As HDF5 and as npz, each layout in another form."""
    digits = (
        np.concatenate([mnist["x_train"][:300], mnist["x_test"]]),
        np.concatenate([mnist["y_train"][:300], mnist["y_test"]]),
    )
    splits = {"train": slice(0, 300), "test": slice(300, 500)}
    three = {"train": slice(0, 200), "validation": slice(200, 300), "test": slice(300, 500)}
    form = FORMS[number * 37 % len(FORMS)]
    images, labels = in_form(digits, form)
    names = list(NAMED[layout](np.arange(70), np.arange(70)))
    rows = three if len(names) == 6 else splits
    parts = [part for split in rows for part in (images[rows[split]], labels[rows[split]])]
    arrays = dict(zip(names, parts, strict=True))
    results = [read_mnist(ingestion(write(tmp_path / "x.hdf5", arrays)))]
    if "/" not in names[0]:
        np.savez(tmp_path / "x.npz", **arrays)
        results.append(read_mnist(ingestion(tmp_path / "x.npz")))
    for result in results:
        np.testing.assert_array_equal(result["x_train"], digits[0][:300])
        np.testing.assert_array_equal(result["y_train"], digits[1][:300])
        np.testing.assert_array_equal(result["x_test"], digits[0][300:])
        np.testing.assert_array_equal(result["y_test"], digits[1][300:])
        assert names[0] in result["layout"]


def fuel_attribute(count, test):
    kinds = [("split", "S5"), ("source", "S8"), ("start", "i8"), ("stop", "i8")]
    kinds += [("indices", h5py.ref_dtype), ("available", "?"), ("comment", "S1")]
    rows = [("train", 0, count - test), ("test", count - test, count)]
    table = [
        (split, source, start, stop, h5py.Reference(), True, "")
        for split, start, stop in rows
        for source in ("features", "targets")
    ]
    return np.array(table, dtype=kinds)


def test_fuel_from_a_file(tmp_path, mnist):
    arrays = {"features": mnist["x_train"][:, np.newaxis], "targets": mnist["y_train"][:, None]}
    path = write(tmp_path / "fuel.hdf5", arrays, {"split": fuel_attribute(800, 200)})
    result = read_mnist(ingestion(path))
    np.testing.assert_array_equal(result["x_train"], mnist["x_train"][:600])
    np.testing.assert_array_equal(result["y_test"], mnist["y_train"][600:])
    assert result["layout"] == "Fuel (a split attribute)"
    assert result["conversions"] == (
        "images uint8 (n, 1, 28, 28) with pixels 0–255; labels uint8 (n, 1)"
    )


def test_text_labels_from_a_file(tmp_path, mnist):
    arrays = {key: mnist[key] for key in KEYS}
    for split in ("train", "test"):
        arrays[f"y_{split}"] = [str(label) for label in mnist[f"y_{split}"]]
    result = read_mnist(ingestion(write(tmp_path / "x.h5", arrays)))
    np.testing.assert_array_equal(result["y_train"], mnist["y_train"])
    assert result["conversions"] == "labels text (n,)"


@needs_full_mnist
@pytest.mark.parametrize(
    "layout",
    ["flat", *(pytest.param(name, marks=pytest.mark.slow) for name in ("three", "pooled"))],
)
def test_the_canonical_mnist_is_recognized_whatever_the_file_looks_like(tmp_path, layout):
    full = read_mnist(ingestion(FULL_MNIST))
    train, test = full["x_train"], full["x_test"]
    arrays = {
        "flat": {
            "train images": (train / np.float32(255)).reshape(-1, 784),
            "train labels": full["y_train"][:, np.newaxis],
            "test images": (test / np.float32(255)).reshape(-1, 784),
            "test labels": full["y_test"][:, np.newaxis],
        },
        "three": {
            "training_data/images": 1 - train[:50_000, None] / np.float32(127.5),
            "training_data/labels": np.eye(10)[full["y_train"][:50_000]],
            "validation_data/images": 1 - train[50_000:, None] / np.float32(127.5),
            "validation_data/labels": np.eye(10)[full["y_train"][50_000:]],
            "test_data/images": 1 - test[:, None] / np.float32(127.5),
            "test_data/labels": np.eye(10)[full["y_test"]],
        },
        "pooled": {
            "X": np.concatenate([train, test]).reshape(-1, 784) / 255,
            "y": np.concatenate([full["y_train"], full["y_test"]]).astype("S1"),
        },
    }[layout]
    result = read_mnist(ingestion(write(tmp_path / "mnist.hdf5", arrays)))
    assert result["canonical_mnist"] is True
    for key in KEYS:
        np.testing.assert_array_equal(result[key], full[key])
        assert result[f"sha256_{key}"] == full[f"sha256_{key}"]


ORDINARY = NAMED["x_train y_train"]

REFUSED = {
    "ann-benchmarks": (
        {name: np.zeros((5, 784)) for name in ("train", "test", "neighbors", "distances")},
        "is a nearest-neighbor benchmark (ann-benchmarks), whose images have no labels",
    ),
    "a Keras model": ({"model_weights/dense/kernel": np.zeros((784, 10))}, "is a Keras model"),
    "Moving MNIST": (
        {"data": np.zeros((20, 3, 64, 64))},
        "'data' is (20, 3, 64, 64): Moving MNIST",
    ),
    "unknown names": (
        {name: np.zeros((5, 784)) for name in "ab"} | {name: np.zeros(5) for name in "cd"},
        (
            "unknown layout; expected images and labels under names such as x_train, y_train, "
            "x_test, y_test; if these hold MNIST, name them: --params ingestion.keys.x_train=…,"
            "ingestion.keys.y_train=…, and in the same way x_test and y_test, with names of a, b, "
        ),
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_rejects_files_that_are_not_mnist(what):
    arrays, message = REFUSED[what]
    with pytest.raises(InputError) as error:
        read(contents(arrays))
    assert f"some.hdf5: {message}" in str(error.value)


def test_refuses_a_keras_model_by_its_attributes():
    with pytest.raises(InputError, match="weights of a Keras model"):
        read(contents({"dense/kernel": np.zeros((784, 10))}, attributes=frozenset({"layer_names"})))


def changed(name, change):
    def build(few):
        arrays = {key: np.array(array) for key, array in ORDINARY(*few).items()}
        arrays[name] = change(arrays[name])
        return arrays

    return build


def at(place, value, dtype=None):
    def change(array):
        array = array.astype(dtype or array.dtype)
        array[place] = value
        return array

    return change


WRONG = {
    "images missing": (
        lambda few: {name: a for name, a in ORDINARY(*few).items() if name != "x_test"},
        "key 'x_test', or a similar name for the images of 'y_test', is missing; found",
    ),
    "a wrong shape": (
        changed("x_test", lambda x: x[:, :27]),
        "'x_test' should be images of shape (n, 28, 28)",
    ),
    "no number type": (changed("x_test", lambda x: x.astype("S3")), "but is (20, 28, 28) |S3"),
    "counts differ": (
        changed("y_train", lambda y: y[:-1]),
        "'y_train' should be the labels of 50 images",
    ),
    "a label of ten": (changed("y_train", at(7, 10)), "label 7 is 10 (1 of 50 are wrong)"),
    "a negative label": (changed("y_test", at(3, -1, np.int64)), "label 3 is -1"),
    "half a label": (changed("y_test", at(3, 1.5, np.float64)), "label 3 is 1.5"),
    "no number as a label": (changed("y_test", at(3, np.nan, np.float64)), "label 3 is nan"),
    "a word as a label": (changed("y_test", at(3, b"x", "S1")), "label 3 is b'x'"),
    "two hot": (
        changed("y_test", lambda y: at((4, slice(0, 2)), 1)(np.eye(10, dtype=int)[y])),
        "'y_test' should be one-hot, one 1 and nine 0s for each image, but row 4 is [1, 1",
    ),
    "NaN": (
        changed("x_train", lambda x: at((slice(3, 5), 4, 5), np.nan)(x / 255)),
        "should be finite numbers, but 2 are not; the first: pixel (4, 5) of image 3 is nan",
    ),
    "infinity": (changed("x_train", lambda x: at((0, 0, 0), -np.inf)(x / 255)), "image 0 is -inf"),
    "a pixel of 300": (
        changed("x_train", at((9, 1, 2), 300, np.int64)),
        "pixel (1, 2) of image 9 is 300",
    ),
    "no known range": (
        lambda few: ORDINARY(few[0] * np.linspace(0.0004, 0.002, 70)[:, None, None], few[1]),
        "should be pixels in 0–255, 0–1 or −1…1, but its values range from 0 to 0.",
    ),
    "another range for the test digits": (
        changed("x_test", lambda x: x / 255),
        "'x_test' should be pixels from 0 to 255 like the",
    ),
    "another sign for the test digits": (
        lambda few: {**ORDINARY(few[0] / 127.5 - 1, few[1]), "x_test": few[0][TEST] / 255},
        "'x_test' should be pixels from -1 to 1 like the other images",
    ),
    "black test digits": (changed("x_test", np.zeros_like), "'x_test' should be pixels from 0 to"),
    "an empty split": (
        lambda few: {
            key: array[:0] if "test" in key else array for key, array in ORDINARY(*few).items()
        },
        "'x_test' should be images, but is empty",
    ),
    "two arrays for one": (
        lambda few: {**ORDINARY(*few), "train_images": few[0]},
        "both seem to be the train images",
    ),
    "two sets of digits": (
        lambda few: {f"{a}/{key}": value for a in "ab" for key, value in ORDINARY(*few).items()},
        "holds 2 sets of digits; choose one: --params ingestion.keys.x_train=…",
    ),
}


@pytest.mark.parametrize("fault", WRONG)
def test_refuses_a_wrong_array(few, fault):
    build, message = WRONG[fault]
    with pytest.raises(InputError) as error:
        read(contents(build(few)))
    assert str(error.value).startswith("some.hdf5: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_names_a_group(few):
    arrays = {key: array for key, array in ORDINARY(*few).items() if key != "x_test"}
    with pytest.raises(InputError, match="'x_test' is a group; expected a dataset"):
        read(contents(arrays, groups=frozenset({"x_test"})))


def test_keys_name_what_is_missing(few):
    given = contents(ORDINARY(*few), groups=frozenset({"train"}))
    with pytest.raises(
        InputError, match=r"key 'a' \(ingestion.keys.y_train\) is missing; expected one of"
    ):
        read(given, keys={"x_train": "x_train", "y_train": "a"})
    with pytest.raises(InputError, match="'train' is a group"):
        read(given, keys={"x_train": "train", "y_train": "y_train"})


@given(
    splits=st.permutations(["train", "test"]),
    pattern=st.sampled_from(["{s}{b}{r}", "{r}{b}{s}", "data/{s}/{r}", "{s}_set/{b}{r}"]),
    between=st.sampled_from(["", "_", " ", "-", ".", "/"]),
    names=st.sampled_from([("x", "y"), ("X", "Y"), ("Images", "LABELS"), ("features", "targets")]),
    scale=st.sampled_from(sorted(SCALES)),
    shape=st.sampled_from(sorted(SHAPES)),
    seed=st.integers(0, 1000),
)
def test_finds_any_mixture_of_known_words(
    mnist, splits, pattern, between, names, scale, shape, seed
):
    rows = np.random.default_rng(seed).permutation(800)[:70]
    digits = mnist["x_train"][rows], mnist["y_train"][rows]
    images, labels = in_form(digits, (shape, scale, "", "(n,)"))
    arrays = {
        pattern.format(s=split, b=between, r=name): array[ALL[split]]
        for split in splits
        for name, array in zip(names, (images, labels), strict=True)
    }
    result = read(contents(arrays), allow_missing_classes=True)
    assert_same(result, digits, arrays.keys())
