"""Files whose digits are stored in another way than they seem: repaired, refused or warned of."""

import re

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from mnist_kedro.arrays import Rows
from mnist_kedro.errors import InputError
from mnist_kedro.pictures.digit import prepare_digit
from mnist_kedro.sources import read_mnist
from mnist_kedro.sources.content import Split, check_content, reorient
from mnist_kedro.sources.layout import KEYS
from mnist_kedro.sources.reference import ORIENTATIONS, classify
from tests.support.parameters import ingestion
from tests.support.paths import FULL_MNIST, needs_full_mnist


def stored(orientation, images):
    """Store images so that they are upright once they are turned from the orientation."""
    probe = np.arange(28 * 28).reshape(1, 28, 28)
    for turn in ORIENTATIONS.values():
        if np.array_equal(ORIENTATIONS[orientation](turn(probe)), probe):
            return turn(images)
    raise AssertionError(orientation)


@pytest.fixture
def read(tmp_path, mnist):
    """Ingest the sample's digits with some arrays replaced."""

    def read(options=None, **arrays):
        path = tmp_path / "x.npz"
        np.savez(path, **{**{key: mnist[key] for key in KEYS}, **arrays})
        return read_mnist(ingestion(path, **(options or {})))

    return read


def assert_restored(result, mnist):
    for key in KEYS:
        np.testing.assert_array_equal(result[key], mnist[key], err_msg=key)


def advised(message):
    """Return the first parameters that a message advises, as of the command line."""
    text = re.search(r"ingestion\.labels=(\[[\d,]+\]|as_is)", message)[1]
    return {"labels": text if text == "as_is" else [int(digit) for digit in text[1:-1].split(",")]}


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_turns_images_upright(read, mnist, orientation):
    images = {key: stored(orientation, mnist[key]) for key in ("x_train", "x_test")}
    result = read(**images)
    assert_restored(result, mnist)
    named = f"train images {orientation.replace('_', ' ')}; test images"
    assert (named in result["conversions"]) == (orientation != "as_is")
    as_it_is = read({"orientation": "as_is", "labels": "as_is"}, **images)
    np.testing.assert_array_equal(as_it_is["x_test"], images["x_test"])
    told = read({"orientation": orientation}, **images)
    assert_restored(told, mnist)


def test_turns_a_single_split(read, mnist):
    result = read(x_test=stored("transposed", mnist["x_test"]))
    assert_restored(result, mnist)
    assert result["conversions"] == "test images transposed"


def test_turns_few_images_as_many(read, mnist):
    rows = np.concatenate([np.flatnonzero(mnist["y_test"] == digit)[:2] for digit in range(10)])
    few = {key: mnist[key][rows] for key in ("x_test", "y_test")}
    images = {"x_train": mnist["x_train"], "x_test": few["x_test"]}
    images = {key: stored("rotated_90", array) for key, array in images.items()}
    assert_restored(read(**images, y_test=few["y_test"]), {**mnist, **few})


def test_turns_images_that_do_not_fit_in_memory(mnist):
    images = stored("transposed", mnist["x_train"])
    rows = Rows(images.shape, images.dtype, lambda start, stop: images[start:stop])
    checked = check_content({"train": Split(rows, mnist["y_train"])}, "x", ingestion("x"))
    assert isinstance(checked.splits["train"].images, Rows)
    np.testing.assert_array_equal(np.asarray(checked.splits["train"].images), mnist["x_train"])


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_turning_is_a_permutation_of_the_pixels(mnist, orientation):
    once = reorient(mnist["x_test"], orientation)
    np.testing.assert_array_equal(once, ORIENTATIONS[orientation](mnist["x_test"]))
    assert once.flags.c_contiguous


def test_refuses_images_of_two_orientations(read, mnist):
    images = mnist["x_train"].copy()
    images[::2] = stored("transposed", images[::2])
    with pytest.raises(InputError, match=r"at least \d\d% of the train images are transposed"):
        read(x_train=images)


@pytest.mark.parametrize("scale", [1, 1 / 255])
@pytest.mark.parametrize("inverted", [slice(None), slice(None, None, 2), slice(3, 4)])
def test_inverts_the_images_that_are_inverted(read, mnist, scale, inverted):
    images = {key: mnist[key].copy() for key in ("x_train", "x_test")}
    for array in images.values():
        array[inverted] = 255 - array[inverted]
    result = read(**{key: array * scale for key, array in images.items()})
    assert_restored(result, mnist)
    assert "inverted" in result["conversions"]
    some = f"{len(mnist['x_train'][inverted]):,} of 800 images" in result["conversions"]
    assert some == (inverted != slice(None))


def test_the_background_can_be_set(read, mnist):
    images = {"x_train": 255 - mnist["x_train"], "x_test": mnist["x_test"]}
    options = {"background": "dark", "labels": "as_is", "orientation": "as_is"}
    np.testing.assert_array_equal(read(options, **images)["x_train"], images["x_train"])
    options["background"] = "light"
    np.testing.assert_array_equal(read(options, **images)["x_train"], mnist["x_train"])


@pytest.mark.parametrize("levels", [1, 15, 16, 63, 100, 127, 1023, 65535])
@pytest.mark.parametrize("kind", [np.int64, np.float32])
def test_scales_any_range_that_the_images_fill(read, mnist, levels, kind):
    scaled = {key: np.rint(mnist[key] / 255 * levels).astype(kind) for key in ("x_train", "x_test")}
    result = read(**scaled)
    largest = np.abs(result["x_train"] - mnist["x_train"].astype(float)).max()
    assert largest <= 255 / levels / 2 + 0.5
    if levels > 1:
        assert (
            f"with pixels 0–{levels if levels < 10_000 else '6.554e+04'}" in result["conversions"]
        )


def test_keeps_images_that_are_dim_by_themselves(read, mnist):
    dimness = np.linspace(0.1, 0.7, len(mnist["x_train"]))[:, np.newaxis, np.newaxis]
    images = {
        "x_train": (mnist["x_train"] * dimness).astype(np.uint8),
        "x_test": (mnist["x_test"] * 0.6).astype(np.uint8),
    }
    np.testing.assert_array_equal(read(**images)["x_train"], images["x_train"])


def test_the_range_can_be_set(read, mnist):
    images = {key: mnist[key] / 255 * 0.4 for key in ("x_train", "x_test")}
    assert_restored(read({"pixel_range": [0, 0.4]}, **images), mnist)
    with pytest.raises(InputError, match="pixels in 0–0.3"):
        read({"pixel_range": [0, 0.3]}, **images)


@pytest.mark.parametrize("value", [-0.1, 1.1, -20, 280])
def test_a_few_pixels_do_not_decide_the_range(read, mnist, value):
    scale = 255 if abs(value) < 2 else 1
    images = {key: mnist[key] / scale for key in ("x_train", "x_test")}
    images["x_train"][3, 0, 0] = value
    with pytest.raises(InputError, match="should be pixels in"):
        read(**images)


@pytest.mark.parametrize(("low", "high"), [(0.01, 1), (0.1, 0.9), (-0.9, 0.9), (20, 250)])
def test_the_background_is_the_lowest_value_of_all_images(read, mnist, low, high):
    scaled = {
        key: low + mnist[key] * np.float32((high - low) / 255) for key in ("x_train", "x_test")
    }
    assert_restored(read(**scaled), mnist)


@pytest.mark.parametrize("axes", [(1,), (2,), (1, 2)])
def test_refuses_pixels_scaled_to_unit_length(read, mnist, axes):
    """As ``keras.utils.normalize`` does."""

    def normalized(images):
        lengths = np.sqrt((images.astype(float) ** 2).sum(axis=axes, keepdims=True))
        return images / np.where(lengths == 0, 1, lengths)

    with pytest.raises(InputError, match=r"scaled to length 1 \(keras.utils.normalize\)"):
        read(**{key: normalized(mnist[key]) for key in ("x_train", "x_test")})


def test_rejects_permuted_labels_unless_as_is(read, mnist):
    digits = np.array([3, 1, 4, 0, 5, 9, 2, 6, 8, 7])  # of the labels
    labels = {key: np.argsort(digits)[mnist[key]] for key in ("y_train", "y_test")}
    with pytest.raises(InputError, match=r"labels stand for other digits \(0 for 3, 2 for 4") as no:
        read(**labels)
    assert_restored(read(advised(str(no.value)), **labels), mnist)
    result = read({"labels": "as_is"}, **labels)
    np.testing.assert_array_equal(result["y_train"], labels["y_train"])


@pytest.mark.parametrize("shift", [1, -1])
def test_rejects_shifted_labels(read, mnist, shift):
    labels = np.roll(mnist["y_train"], shift)
    with pytest.raises(InputError, match="train labels are displaced by 1 row: image 0 belongs to"):
        read(y_train=labels)


def test_a_label_list_is_for_all_splits_or_not_advised(read, mnist):
    shifted = (mnist["y_test"] + 1) % 10
    with pytest.raises(InputError, match="the test labels stand for other digits") as refused:
        read(y_test=shifted)
    digits = re.search(r"correct .* with np\.array\((\[[\d,]+\])\)\[labels\]", str(refused.value))[
        1
    ]
    assert "--params 'ingestion.labels=[" not in str(refused.value)
    corrected = np.array([int(digit) for digit in digits[1:-1].split(",")])[shifted]
    assert_restored(read(y_test=corrected), mnist)
    with pytest.raises(InputError, match="the train labels stand for other digits"):
        read({"labels": [9, *range(9)]}, y_test=shifted)


def test_digits_that_are_hard_to_classify_may_be_sorted(mnist):
    """Neighbors in a sorted file have the same labels, so displaced labels fit as well."""
    random = np.random.default_rng(0)
    order = np.argsort(mnist["y_train"], kind="stable")
    turned = [
        np.asarray(Image.fromarray(image).rotate(random.uniform(-50, 50)))
        for image in mnist["x_train"][order]
    ]
    split = Split(np.array(turned), mnist["y_train"][order])
    checked = check_content({"train": split}, "x", ingestion("x"))
    np.testing.assert_array_equal(checked.splits["train"].images, split.images)


@pytest.mark.parametrize(("share", "orientation"), [(0.1, "transposed"), (0.2, "rotated_180")])
def test_warns_of_some_turned_images(read, mnist, share, orientation):
    rows = np.random.default_rng(0).random(len(mnist["x_train"])) < share
    images = mnist["x_train"].copy()
    images[rows] = stored(orientation, images[rows])
    shown = orientation.replace("_", " ")
    warnings = read(x_train=images)["warnings"]
    assert re.match(rf"at least \d+% of the train images are {shown}, unlike", warnings)


@pytest.mark.parametrize("filling", ["blank", "noise"])
def test_warns_of_images_that_are_no_digits(read, mnist, filling):
    random = np.random.default_rng(0)
    images = mnist["x_train"].copy()
    images[::4] = 0 if filling == "blank" else random.integers(0, 256, images[::4].shape)
    warnings = read(x_train=images)["warnings"]
    assert re.match("2[45]% of the train images do not resemble digits", warnings)


def test_rejects_shuffled_labels(read, mnist):
    labels = np.random.default_rng(0).permutation(mnist["y_train"])
    with pytest.raises(
        InputError, match=r"only \d+% of 800 train images are classified as labeled"
    ):
        read(y_train=labels)


def test_warns_of_wrong_labels(read, mnist):
    random = np.random.default_rng(0)
    labels = mnist["y_train"].copy()
    wrong = random.choice(len(labels), 240, replace=False)
    labels[wrong] = (labels[wrong] + random.integers(1, 10, len(wrong))) % 10
    result = read(y_train=labels)
    assert re.match(r"(2|3)\d% of the train labels seem wrong", result["warnings"])
    assert read()["warnings"] == "none"


@pytest.mark.parametrize("ten", [10, 0], ids=["10 for 0", "1–10 for 0–9"])
def test_recognizes_what_labels_from_1_to_10_stand_for(read, mnist, ten):
    def one_to_ten(labels):
        return np.where(labels == 0, 10, labels) if ten else labels + 1

    labels = {key: one_to_ten(mnist[key]) for key in ("y_train", "y_test")}
    result = read(**labels)
    assert_restored(result, mnist)
    assert "labels 1–10" in result["conversions"]
    transposed = {key: stored("transposed", mnist[key]) for key in ("x_train", "x_test")}
    assert_restored(read(**labels, **transposed), mnist)


def test_says_that_few_digits_are_not_compared(tmp_path, mnist):
    rows = [np.flatnonzero(mnist["y_train"] == digit)[:4] for digit in range(10)]
    rows = np.concatenate(rows)
    np.savez(tmp_path / "x.npz", x=mnist["x_train"][rows], y=mnist["y_train"][rows])
    result = read_mnist(ingestion(tmp_path / "x.npz", test_fraction=0.5))
    assert result["warnings"] == "fewer than 50 digits, which were not compared with real digits"


def test_asks_what_labels_stand_for_if_there_are_few(read, mnist):
    rows = [np.flatnonzero(mnist["y_train"] == digit)[:2] for digit in range(10)]
    rows = np.concatenate(rows)
    arrays = {
        "x_train": mnist["x_train"][rows],
        "y_train": mnist["y_train"][rows] + 1,
        "x_test": mnist["x_test"][:20],
        "y_test": mnist["y_test"][:20] + 1,
    }
    with pytest.raises(InputError, match="has labels 1–10") as refused:
        read({"allow_missing_classes": True}, **arrays)
    advice = re.findall(
        r"'ingestion\.labels=\[([\d,]+)\]'|labels=\[([\d,]+)\]'", str(refused.value)
    )
    lists = [[int(digit) for digit in (one or two).split(",")] for one, two in advice]
    results = [read({"allow_missing_classes": True, "labels": one}, **arrays) for one in lists]
    np.testing.assert_array_equal(results[1]["y_train"], mnist["y_train"][rows])
    np.testing.assert_array_equal(results[0]["y_train"], (mnist["y_train"][rows] + 1) % 10)


def test_refuses_eleven_classes(read, mnist):
    labels = mnist["y_train"].copy()
    labels[7] = 10
    with pytest.raises(InputError, match=r"labels 0–9, but label 7 is 10 \(1 of 800 are wrong\)"):
        read(y_train=labels)


def letters(characters, count):
    """Draw letters in fonts of Matplotlib, prepared as pictures are."""
    folder = mpl.get_data_path() + "/fonts/ttf/"
    fonts = [
        ImageFont.truetype(f"{folder}{name}.ttf", 60)
        for name in ("DejaVuSans", "DejaVuSerif-Italic", "DejaVuSansMono", "STIXGeneral", "cmr10")
    ]
    random = np.random.default_rng(0)
    images = []
    for number in range(count):
        picture = Image.new("L", (110, 110), 255)
        draw = ImageDraw.Draw(picture)
        draw.text((25, 15), characters[number % 10], fill=0, font=fonts[number // 10 % 5])
        turned = picture.rotate(random.uniform(-15, 15), fillcolor=255)
        images.append(prepare_digit(np.asarray(turned)))
    return np.array(images), np.arange(count) % 10


@pytest.mark.parametrize("characters", ["ABCDEFGHIJ", "abcdefghij", "αβγδεζηθικ"])
def test_refuses_ten_letters_unless_it_is_told_to_take_them(tmp_path, characters):
    images, labels = letters(characters, 120)
    np.savez(tmp_path / "x.npz", images=images, labels=labels)
    with pytest.raises(InputError, match=r"only \d+% of 120 train images .* resemble digits") as no:
        read_mnist(ingestion(tmp_path / "x.npz"))
    result = read_mnist(ingestion(tmp_path / "x.npz", **advised(str(no.value))))
    assert len(result["y_train"]) + len(result["y_test"]) == 120


def test_takes_printed_digits(tmp_path):
    images, labels = letters("0123456789", 120)
    np.savez(tmp_path / "x.npz", images=images, labels=labels)
    result = read_mnist(ingestion(tmp_path / "x.npz"))
    both = np.concatenate([result["x_train"], result["x_test"]])
    assert sorted(image.tobytes() for image in both) == sorted(image.tobytes() for image in images)


def test_warns_of_copies_and_leaks(read, mnist):
    twice = {
        "x_train": np.concatenate([mnist["x_train"], mnist["x_train"][:100]]),
        "y_train": np.append(mnist["y_train"], (mnist["y_train"][:100] + 1) % 10),
        "x_test": np.concatenate([mnist["x_test"], mnist["x_test"][:50], mnist["x_train"][:30]]),
        "y_test": np.concatenate([mnist["y_test"], mnist["y_test"][:50], mnist["y_train"][:30]]),
    }
    assert read(**twice)["warnings"] == (
        "30 of 280 test digits are also training digits; 230 digits equal digits with another "
        "label; 100 of 900 training digits are copies of others; 50 of 280 test digits are copies "
        "of others"
    )


def test_splits_may_lack_classes_where_that_is_asked_for(read, mnist):
    kept = {split: mnist[f"y_{split}"] < 7 for split in ("train", "test")}
    arrays = {key: mnist[key][kept[key[2:]]] for key in KEYS}
    with pytest.raises(InputError, match="does not contain 7, 8, 9; to ingest it anyway"):
        read(**arrays)
    assert_restored(read({"allow_missing_classes": True}, **arrays), arrays)


@needs_full_mnist
def test_classifies_the_test_digits_of_mnist():
    full = read_mnist(ingestion(FULL_MNIST))
    found = classify(full["x_test"])
    correct = found.labels == full["y_test"]
    assert correct.mean() > 0.95
    assert correct[found.clear].mean() > 0.99
    assert found.clear.mean() > 0.8


@needs_full_mnist
def test_turns_any_subset_upright_and_no_other():
    """Of 200 to 1,000 digits each way, and unmodified ones from 50."""
    full = read_mnist(ingestion(FULL_MNIST))
    random = np.random.default_rng(0)
    parameters = ingestion("x", allow_missing_classes=True)
    for number in range(60):
        orientation = [*ORIENTATIONS][number % 12] if number % 12 < 8 else "as_is"
        count = int(random.integers(200, 1000)) if orientation != "as_is" else 50
        rows = random.choice(60_000, count, replace=False)
        images = full["x_train"][rows]
        split = Split(stored(orientation, images), full["y_train"][rows])
        checked = check_content({"train": split}, "x", parameters)
        np.testing.assert_array_equal(checked.splits["train"].images, images)
