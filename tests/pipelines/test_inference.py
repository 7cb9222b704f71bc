import json
import re

import numpy as np
import pandas as pd
import pytest

from mnist_kedro.datasets import HDF5Dataset
from mnist_kedro.datasets.table_dataset import TableDataset
from mnist_kedro.digest import sha256
from mnist_kedro.errors import InputError
from mnist_kedro.metrics.prediction import probabilities_of
from mnist_kedro.parameters import InferenceParameters
from mnist_kedro.pictures.batches import BLANK
from mnist_kedro.pipelines.inference import create_pipeline
from mnist_kedro.pipelines.inference.nodes import (
    join_predictions,
    read_pictures,
    select_pictures,
)
from mnist_kedro.pipelines.inference.summary import summarize_predictions
from mnist_kedro.plots.contact_sheet import plot_contact_sheet
from tests.support.networks import build
from tests.support.parameters import CALIBRATION
from tests.support.pictures import saved
from tests.support.reporting import drawn, texts

# As in conf/base/catalog_inference.yml.
LOAD_ARGS = {"chunksize": 5, "dtype": {"digit": "Int8", "is_digit": "boolean", "label": "Int8"}}
SAVE_ARGS = {"index": False, "float_format": "%.9g"}


def options(images, labels=None, shown=60, parts=1, all_digits=False):
    return InferenceParameters(
        images=None if images is None else str(images),
        labels=None if labels is None else str(labels),
        shown=shown,
        parts=parts,
        all_digits=all_digits,
    )


def whole(model, images, **changes):
    return pd.concat(
        read_pictures(model, CALIBRATION, options(images, **changes)), ignore_index=True
    )


@pytest.fixture(scope="module")
def folder(digits, tmp_path_factory):
    """Thirty pictures in folders that are named by their digits, and two without one."""
    folder = tmp_path_factory.mktemp("pictures")
    for row in range(30):
        place = folder / str(digits["labels"][row])
        place.mkdir(exist_ok=True)
        (place / f"{row:02d}.png").write_bytes(saved(np.asarray(digits["images"])[row, ..., 0]))
    (folder / "blank.png").write_bytes(saved(np.zeros((30, 30), np.uint8)))
    (folder / "note.txt").write_text("call the school")
    return folder


@pytest.fixture(scope="module")
def read(trained, folder):
    return whole(trained, folder)


@pytest.fixture(scope="module")
def shown(folder):
    return select_pictures(options(folder, shown=12))


def test_each_picture_is_read_as_the_model_reads_its_pixels(trained, digits, read, shown):
    table, pixels = read, shown["pixels"]
    assert list(table) == [
        *("file", "digit", "confidence"),
        *(f"p{digit}" for digit in range(10)),
        *("candidates", "is_digit", "digit_score", "several", "status", "label"),
    ]
    ok = table[table["status"] == "ok"]
    assert len(ok) == 30
    rows = ok["file"].str.extract(r"/(\d+)\.png")[0].astype(int).to_numpy()
    expected = trained.predict(np.asarray(digits["images"])[rows], verbose=0)
    np.testing.assert_allclose(ok[[f"p{digit}" for digit in range(10)]], expected, atol=1e-5)
    np.testing.assert_array_equal(ok["digit"].to_numpy(int), expected.argmax(axis=1))
    np.testing.assert_array_equal(ok["label"].to_numpy(int), digits["labels"][rows])
    assert pixels.shape == (12, 28, 28, 1)
    np.testing.assert_array_equal(pixels[-1], np.asarray(digits["images"])[rows[-1]])
    assert not pixels[0].any()  # blank.png


def test_what_is_no_digit_has_no_number(read):
    table = read.set_index("file")
    for name, status in {
        "blank.png": BLANK,
        "note.txt": "not a picture (PNG, JPEG, BMP, TIFF, WebP or GIF)",
    }.items():
        assert table.loc[name, "status"] == status
        assert table.loc[name, ["digit", "confidence", "p0", "p9", "label"]].isna().all()


@pytest.fixture(scope="module")
def strings(digits, tmp_path_factory):
    """A picture of three digits, one of nothing and one of a digit, in a folder named '5'."""
    folder = tmp_path_factory.mktemp("strings")
    images = np.asarray(digits["images"])[:4, ..., 0]
    (folder / "5").mkdir()
    page = np.full((80, 260), 230, np.uint8)
    for i, image in enumerate(images[:3]):
        page[20:48, 30 + 80 * i : 58 + 80 * i] -= image // 2
    (folder / "5" / "a.png").write_bytes(saved(np.kron(page, np.ones((2, 2), np.uint8))))
    (folder / "5" / "b.png").write_bytes(saved(np.full((60, 60), 200, np.uint8)))
    (folder / "5" / "c.png").write_bytes(saved(images[3]))
    return folder


def test_all_digits_of_a_picture_are_read_on_request(trained, digits, strings):
    table = whole(trained, strings, all_digits=True)
    assert table["file"].tolist() == ["5/a.png"] * 3 + ["5/b.png", "5/c.png"]
    assert table["digit"].dropna().tolist() == digits["labels"][:4].tolist()
    assert table["several"].tolist() == [True] * 3 + [False] * 2
    assert table["left"].iloc[:3].is_monotonic_increasing
    assert table["top"].iloc[:3].between(36, 60).all()
    assert table["label"].isna().tolist() == [True] * 3 + [False] * 2
    selected = select_pictures(options(strings, all_digits=True))
    summary, rows = summarize_predictions([table[:2], table[2:]], selected, {"name": "cnn"})
    assert (summary["pictures"], summary["several_digits"], summary["read"]) == (3, 1, 4)
    assert len(rows) == len(selected["pixels"]) == 5


def test_a_picture_of_several_digits_says_so(trained, strings):
    table = whole(trained, strings)
    assert table["several"].tolist() == [True, False, False]


def test_the_summary_counts(read, shown):
    parts = [read[:5], read[5:]]
    summary, rows = summarize_predictions(parts, shown, {"name": "cnn"})
    summary = json.loads(json.dumps(summary))
    assert rows["file"].tolist() == read["file"].iloc[shown["rows"]].tolist()
    assert summary["pictures"] == 32
    assert set(summary["digits"]) <= set("0123456789")
    assert summary["read"] == summary["labeled"] == 30
    assert sum(summary["not_read"].values()) == 2
    assert sum(summary["digits"].values()) == 30
    assert summary["accuracy"] > 0.9
    assert summary["accuracy"] == 1 - summary["errors"] / 30


def test_labels_may_come_from_a_file(trained, folder, tmp_path):
    labels = tmp_path / "labels.csv"
    some = sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/*.png"))[:2]
    labels.write_text(f"file,label\n{some[0]},3\n{some[1]},4\nblank.png,1\nelsewhere.png,2\n")
    table = whole(trained, folder, labels=labels)
    known = table[table["label"].notna()]
    assert dict(zip(known["file"], known["label"], strict=True)) == {
        "blank.png": 1,
        some[0]: 3,
        some[1]: 4,
    }
    summary, _ = summarize_predictions([table], select_pictures(options(folder)), {"name": "cnn"})
    assert summary["labeled"] == 2  # a blank picture is not read


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,label\na,1\n", "column file is missing .* found name, label"),
        ("file,label\na.png,ten\n", "label 'ten' of 'a.png' should be a digit 0 to 9"),
        ("", "cannot be read as CSV"),
    ],
)
def test_labels_that_cannot_be_used_are_named(trained, folder, tmp_path, text, message):
    labels = tmp_path / "labels.csv"
    labels.write_text(text)
    with pytest.raises(InputError, match=message):
        read_pictures(trained, CALIBRATION, options(folder, labels))


def test_without_labels_nothing_is_compared(trained, digits, tmp_path):
    (tmp_path / "a.png").write_bytes(saved(np.asarray(digits["images"])[0, ..., 0]))
    table = whole(trained, tmp_path)
    assert "label" not in table
    summary, _ = summarize_predictions([table], select_pictures(options(tmp_path)), {"name": "cnn"})
    assert "accuracy" not in summary


def test_without_pictures_the_command_is_told(trained):
    with pytest.raises(InputError, match=r"--params inference\.images=FOLDER"):
        read_pictures(trained, CALIBRATION, options(None))


def test_the_contact_sheet_shows_what_the_network_sees(read, shown, folder):
    _, rows = summarize_predictions([read], shown, {"name": "cnn"})
    figure = plot_contact_sheet(shown, rows, options(folder, shown=12))
    written = [text.get_text() for text in figure.axes[0].texts]
    captions, files = written[::2], written[1::2]
    assert len(captions) == len(files) == 12
    assert (captions[0], files[0]) == ("blank", "blank.png")
    assert re.fullmatch(r"\d (\d\d|>99)%|\d→\d (\d\d|>99)%", captions[-1])
    assert "A digit is found in 11 of these 12 pictures" in texts(figure)
    assert "A selection from 32 pictures" in texts(figure)
    drawn(figure)
    flagged = rows.assign(is_digit=rows["is_digit"].where(rows.index < 9, other=False))
    figure = plot_contact_sheet(shown, flagged, options(folder, shown=12))
    assert "A digit is found in 8 of these 12 pictures" in texts(figure)
    assert figure.axes[0].texts[-2].get_text().startswith("no digit? ")


def test_thumbnails_show_the_ink_that_was_found(shown):
    red, _, blue = np.moveaxis(shown["thumbnails"].astype(int), -1, 0)
    colored = (red - blue > 60).sum(axis=(1, 2))
    assert not colored[0]  # blank.png
    assert (colored[1:] > 100).all()


def test_pictures_are_read_while_their_tables_are_asked_for(trained, digits, tmp_path, monkeypatch):
    monkeypatch.setattr("mnist_kedro.pictures.stored.BATCH", 7)
    images = np.asarray(digits["images"])[:40]
    np.savez(tmp_path / "many.npz", images=images)
    tables = read_pictures(trained, CALIBRATION, options(tmp_path / "many.npz"))
    assert [len(table) for table in tables] == [7] * 5 + [5]
    table = pd.concat(tables)
    np.testing.assert_array_equal(
        table["digit"].to_numpy(int), probabilities_of(trained, images).argmax(axis=1)
    )
    shown = select_pictures(options(tmp_path / "many.npz", shown=10))
    assert shown["rows"].tolist() == [0, 4, 9, 13, 17, 22, 26, 30, 35, 39]
    np.testing.assert_array_equal(shown["pixels"], images[shown["rows"]])


@pytest.mark.parametrize("parts", [2, 3, 9])
def test_parts_are_the_whole(trained, folder, tmp_path, monkeypatch, parts):
    for module in ("pipelines.inference.nodes", "pictures.files"):
        monkeypatch.setattr(f"mnist_kedro.{module}.BATCH", 7)

    def table(name):
        path = str(tmp_path / f"{name}.csv")
        return TableDataset(filepath=path, load_args=LOAD_ARGS, save_args=SAVE_ARGS)

    table("whole").save(read_pictures(trained, CALIBRATION, options(folder)))
    for part in range(parts):
        table(part).save(read_pictures(trained, CALIBRATION, options(folder), part, parts))
    table("joined").save(join_predictions(*(table(part).load() for part in range(parts))))
    whole, joined = (tmp_path / f"{name}.csv" for name in ("whole", "joined"))
    assert len(whole.read_text().splitlines()) == 33
    assert joined.read_bytes() == whole.read_bytes()


def test_a_file_of_mnist_is_read_with_its_labels(trained, mnist, tmp_path):
    HDF5Dataset(filepath=str(tmp_path / "mnist.hdf5")).save(mnist)
    table = whole(trained, tmp_path / "mnist.hdf5")
    assert table["file"].iloc[[0, -1]].tolist() == ["mnist.hdf5#x_train/0", "mnist.hdf5#x_test/199"]
    labels = np.concatenate([mnist["y_train"], mnist["y_test"]])
    np.testing.assert_array_equal(table["label"].to_numpy(int), labels)


def test_the_digits_that_a_model_was_trained_on_have_no_labels(mnist, tmp_path, caplog):
    model = build("dense")
    labels = {key: sha256(mnist[key]) for key in ("y_train", "y_test")}
    record = {"data": {"sha256_y_train": labels["y_train"]}, "lineage": {}}
    model.training_record = record
    HDF5Dataset(filepath=str(tmp_path / "mnist.hdf5")).save(mnist)
    table = whole(model, tmp_path / "mnist.hdf5")
    assert table["label"].isna().tolist() == [True] * 800 + [False] * 200
    assert table["digit"].notna().all()
    assert "trained on the digits in 'x_train', so their labels are ignored" in caplog.text


def test_the_first_model_reads():
    inputs = {"resnet.model", "resnet.picture_calibration", "params:inference"}
    assert create_pipeline(("resnet", "cnn")).inputs() == inputs
