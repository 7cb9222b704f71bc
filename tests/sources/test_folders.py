import gzip
import zipfile

import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mnist_kedro.errors import InputError
from mnist_kedro.sources import folders, read_mnist
from mnist_kedro.sources.files import find_source, open_source
from mnist_kedro.sources.idx import FILES
from mnist_kedro.sources.layout import KEYS
from tests.support.files import (
    idx_bytes,
    png_bytes,
    read_arrays,
    refusal,
    table_bytes,
    write_mnist,
)
from tests.support.parameters import ingestion


def assert_reads(path, mnist):
    result = read_mnist(ingestion(path))
    for key in KEYS:
        np.testing.assert_array_equal(result[key], mnist[key])
    return result


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def put_pictures(folder, images, labels):
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        put(folder / str(label) / f"{i:05}.png", png_bytes(image))


def test_reads_the_root_of_torchvision(tmp_path, mnist):
    """It keeps the files as they were downloaded beside those that it decompressed."""
    (tmp_path / "MNIST").mkdir()
    raw = write_mnist(tmp_path / "MNIST" / "raw", mnist)
    for file in list(raw.iterdir()):
        file.with_suffix("").write_bytes(gzip.decompress(file.read_bytes()))
    assert assert_reads(tmp_path, mnist)["layout"] == "IDX files"
    with open_source(tmp_path, 1000) as contents:
        assert contents.path == tmp_path


def test_reads_the_doubled_folders_of_kaggle(tmp_path, mnist):
    for key, name in FILES.items():
        put(tmp_path / name.replace("-idx", ".idx"), idx_bytes(mnist[key]))
        put(tmp_path / name / name, idx_bytes(mnist[key]))
        put(tmp_path / "__MACOSX" / f"._{name}", b"attributes")
        put(tmp_path / f"._{name}", b"attributes")
    assert assert_reads(tmp_path, mnist)["layout"] == "IDX files"


def test_names_other_idx_files_by_their_paths(tmp_path, mnist):
    for key, name in FILES.items():
        other = f"emnist-digits-{name.replace('t10k', 'test')}.gz"
        put(tmp_path / "gzip" / other, gzip.compress(idx_bytes(mnist[key])))
    arrays = read_arrays(tmp_path)
    assert {*arrays} == {
        f"gzip/emnist-digits-{split}-{kind}-ubyte"
        for split in ("train", "test")
        for kind in ("images-idx3", "labels-idx1")
    }
    np.testing.assert_array_equal(
        arrays["gzip/emnist-digits-test-labels-idx1-ubyte"], mnist["y_test"]
    )


def test_names_the_missing_one_of_the_four_files(tmp_path, mnist):
    raw = write_mnist(tmp_path / "raw", mnist)
    (raw / f"{FILES['y_test']}.gz").unlink()
    assert f"IDX file '{FILES['y_test']}' or" in refusal(tmp_path)


def test_joins_files_of_several_formats(tmp_path, mnist):
    put(tmp_path / "mnist_train.csv", table_bytes(mnist["x_train"], mnist["y_train"]))
    np.save(tmp_path / "x_test.npy", mnist["x_test"])
    np.save(tmp_path / "y_test.npy", mnist["y_test"])
    put(tmp_path / "README.md", b"a, b, c")
    put(tmp_path / "LICENSE", b"MIT, or whatever, you like")
    put(tmp_path / ".hidden.csv", b"1,2")
    put(tmp_path / "sample_submission.csv", b"ImageId,Label\n1,0\n2,0\n")
    assert {*read_arrays(tmp_path)} == {
        *("mnist_train/pixels", "mnist_train/label", "x_test", "y_test")
    }


def test_ingests_the_folder_of_kaggles_digit_recognizer(tmp_path, mnist):
    """The digits of ``test.csv`` have no labels, and those of the submission no pixels."""
    put(tmp_path / "train.csv", table_bytes(mnist["x_train"], mnist["y_train"]))
    unlabeled = pd.DataFrame(mnist["x_test"].reshape(-1, 784)).add_prefix("pixel")
    unlabeled.to_csv(tmp_path / "test.csv", index=False)
    put(tmp_path / "sample_submission.csv", b"ImageId,Label\n1,0\n2,0\n")
    result = read_mnist(ingestion(tmp_path))
    assert len(result["y_train"]) + len(result["y_test"]) == len(mnist["y_train"])
    assert "held out here" in result["test_split"]


def test_joins_a_file_for_each_split(tmp_path, mnist):
    for split in ("train", "test"):
        with h5py.File(tmp_path / f"digitsonly_{split}.h5", "w") as file:
            file["examples/w1/pixels"] = mnist[f"x_{split}"]
            file["examples/w1/label"] = mnist[f"y_{split}"]
    arrays = read_arrays(tmp_path)
    np.testing.assert_array_equal(arrays["digitsonly_test/examples/w1/pixels"], mnist["x_test"])
    with open_source(tmp_path, 1000) as contents:
        assert "digitsonly_train/examples/w1" in contents.groups


def test_the_only_file_keeps_its_names(tmp_path, mnist):
    write_mnist(tmp_path / "mnist.hdf5", mnist)
    put(tmp_path / "._mnist.hdf5", b"attributes")
    assert {*read_arrays(tmp_path)} == {*KEYS}
    assert find_source(tmp_path) == tmp_path / "mnist.hdf5"


def test_refuses_to_choose_between_data_sets(tmp_path, mnist):
    write_mnist(tmp_path / "mnist.hdf5", mnist)
    write_mnist(tmp_path / "more.npz", mnist)
    expected = "expected one MNIST file, found 2 (mnist.hdf5, more.npz); name the one to use: "
    assert expected in refusal(tmp_path)
    with pytest.raises(InputError, match="found 2") as error:
        find_source(tmp_path)
    advised = str(error.value).rpartition("ingestion.source=")[2]
    assert_reads(advised, mnist)


def test_a_copy_in_another_compression_is_taken_once(tmp_path, mnist):
    content = table_bytes(mnist["x_train"], mnist["y_train"])
    put(tmp_path / "train.csv", content)
    put(tmp_path / "train.csv.gz", gzip.compress(content))
    assert len(read_arrays(tmp_path)) == 2
    put(tmp_path / "train.csv.gz", gzip.compress(content.replace(b"pixel1,", b"pixel_1,")))
    assert "another file with this name has other content; remove one of them" in _refused(tmp_path)


def _refused(folder):
    with pytest.raises(InputError) as error:
        read_arrays(folder)
    return str(error.value)


@pytest.mark.parametrize("prefix", ["", "train/", "trainingSet/trainingSet/"])
def test_a_folder_of_png_gives_the_same_bytes(tmp_path, mnist, prefix):
    put_pictures(tmp_path / prefix, mnist["x_train"], mnist["y_train"])
    arrays = read_arrays(tmp_path)
    assert {*arrays} == {f"{prefix}{digit}" for digit in range(10)}
    for digit in range(10):
        np.testing.assert_array_equal(
            arrays[f"{prefix}{digit}"], mnist["x_train"][mnist["y_train"] == digit]
        )


def test_pictures_of_two_splits_are_ingested(tmp_path, mnist):
    put_pictures(tmp_path / "train", mnist["x_train"], mnist["y_train"])
    put_pictures(tmp_path / "test", mnist["x_test"], mnist["y_test"])
    result = read_mnist(ingestion(tmp_path))
    assert np.bincount(result["y_test"]).tolist() == np.bincount(mnist["y_test"]).tolist()
    assert find_source(tmp_path) == tmp_path


def test_bad_pictures_cost_no_others(tmp_path, mnist, caplog):
    put_pictures(tmp_path, mnist["x_train"], mnist["y_train"])
    put(tmp_path / "3" / "bad.png", b"no picture")
    put(tmp_path / "3" / "empty.png", b"")
    put(tmp_path / "4" / "blank.png", png_bytes(np.full((28, 28), 255, np.uint8)))
    put(tmp_path / "4" / "3" / "cut.png", png_bytes(mnist["x_train"][0])[:100])
    assert sum(map(len, read_arrays(tmp_path).values())) == 800
    (record,) = caplog.records
    assert "skipped 4 of 804 pictures (" in record.getMessage()
    assert "1 blank: nothing is written" in record.getMessage()
    assert "): 3/bad.png, 3/empty.png, 4/blank.png, …." in record.getMessage()


def test_other_pictures_are_prepared(tmp_path, mnist):
    large = np.asarray(Image.fromarray(255 - mnist["x_train"][0]).resize((280, 280)))
    put(tmp_path / "5" / "photo.png", png_bytes(large))
    Image.fromarray(mnist["x_train"][1]).save(tmp_path / "5" / "mnist.jpg")
    arrays = read_arrays(tmp_path)
    assert arrays["5"].shape == (2, 28, 28)
    jpeg, photo = arrays["5"].astype(float)
    assert np.abs(jpeg - mnist["x_train"][1]).max() < 60  # not moved
    assert photo[0].max() == 0
    assert photo.max() > 200


def test_follows_no_links_to_folders(tmp_path, mnist):
    put_pictures(tmp_path / "elsewhere", mnist["x_train"][:50], mnist["y_train"][:50])
    write_mnist(tmp_path / "outside.npz", mnist)
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "train").symlink_to(tmp_path / "elsewhere")
    (inside / "loop").symlink_to(inside)
    assert "no file of MNIST in this folder" in refusal(inside)
    (inside / "mnist.npz").symlink_to(tmp_path / "outside.npz")
    assert {*read_arrays(inside)} == {*KEYS}  # a link that the person made to a file


def test_looks_four_folders_deep(tmp_path, mnist):
    write_mnist(tmp_path / "a.npz", mnist)
    deep = tmp_path / "1a" / "2a" / "3a" / "4a"
    deep.mkdir(parents=True)
    (tmp_path / "a.npz").rename(deep / "a.npz")
    assert {*read_arrays(tmp_path)} == {*KEYS}
    assert "no file of MNIST" in refusal(_parent(tmp_path))


def _parent(folder):
    """Put a folder one level deeper."""
    top = folder / "top"
    top.mkdir()
    (folder / "1a").rename(top / "1a")
    return folder


def test_says_what_to_do_with_a_zip_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        archive.writestr("../../train.csv", "1,2")
    assert "'archive.zip' is a zip archive; unzip it, and set the folder" in refusal(tmp_path)
    assert find_source(tmp_path) is None
    assert not (tmp_path.parent.parent / "train.csv").exists()


def test_refuses_folders_of_too_many_files(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "_MAX_FILES", 20)
    monkeypatch.setattr(folders, "_MAX_MERGED", 10)
    for i in range(11):
        np.save(tmp_path / f"train{i}.npy", np.zeros(3))
    assert "11 files of data; at most 10 are read together" in refusal(tmp_path)
    for i in range(10):
        put(tmp_path / f"note{i}.txt", b"note")
    assert "more than 20 files; set a folder with only MNIST" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["README", "notes.txt", ".gitkeep", "._mnist.hdf5"])
def test_finds_no_source_among_other_files(tmp_path, name):
    put(tmp_path / name, b"Put MNIST here, please.\n")
    assert find_source(tmp_path) is None


def test_finds_a_source_of_several_files(tmp_path, mnist):
    for split in ("train", "test"):
        put(tmp_path / f"{split}.csv", table_bytes(mnist[f"x_{split}"], mnist[f"y_{split}"]))
    assert find_source(tmp_path) == tmp_path


@pytest.mark.parametrize("name", ["{}", "train/{}", "digit_{}", "class{}", "{:02}", "Train {}"])
def test_the_folder_of_a_digit_may_have_another_name(tmp_path, mnist, name):
    for row in range(80):
        target = tmp_path / name.format(mnist["y_train"][row])
        target.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mnist["x_train"][row]).save(target / f"{row}.png")
    (tmp_path / "labels.txt").write_text("zero\none\ntwo\n")
    (tmp_path / "README.txt").write_text("many words " * 60)
    result = read_mnist(ingestion(tmp_path, test_fraction=0.4))
    both = np.concatenate([result["x_train"], result["x_test"]])
    labels = np.concatenate([result["y_train"], result["y_test"]])
    truth = {image.tobytes(): label for image, label in zip(*_first(mnist, 80), strict=True)}
    assert len(both) == 80
    assert [truth[image.tobytes()] for image in both] == labels.tolist()


def _first(mnist, count):
    return mnist["x_train"][:count], mnist["y_train"][:count]


@pytest.mark.parametrize("name", ["batch_{}", "images{}"])
def test_numbered_folders_are_no_digits(tmp_path, mnist, name):
    for number in range(3):
        (tmp_path / name.format(number)).mkdir()
        Image.fromarray(mnist["x_train"][number]).save(tmp_path / name.format(number) / "a.png")
    assert find_source(tmp_path) is None


@pytest.mark.parametrize("suffix", ["csv", "txt"])
def test_joins_tables_separated_by_spaces(tmp_path, mnist, suffix):
    """As ``numpy.savetxt`` writes them without options."""
    for split in ("train", "test"):
        np.savetxt(tmp_path / f"y_{split}.{suffix}", mnist[f"y_{split}"])
        np.savetxt(tmp_path / f"x_{split}.{suffix}", mnist[f"x_{split}"].reshape(-1, 784))
    result = read_mnist(ingestion(tmp_path))
    np.testing.assert_array_equal(result["x_train"], mnist["x_train"])
    np.testing.assert_array_equal(result["y_test"], mnist["y_test"])


@pytest.mark.parametrize("header", [False, True])
@pytest.mark.parametrize("one_hot", [False, True])
def test_joins_tables_of_pixels_and_of_labels(tmp_path, mnist, header, one_hot):
    for split in ("train", "test"):
        labels = np.eye(10, dtype=int)[mnist[f"y_{split}"]] if one_hot else mnist[f"y_{split}"]
        names = ",".join(f"c{column}" for column in range(10)) if one_hot else "label"
        options = {"fmt": "%d", "delimiter": ",", "header": names if header else "", "comments": ""}
        np.savetxt(tmp_path / f"y_{split}.csv", labels, **options)
        images = mnist[f"x_{split}"].reshape(-1, 784)
        np.savetxt(tmp_path / f"x_{split}.csv", images, fmt="%d", delimiter=",")
    result = read_mnist(ingestion(tmp_path))
    for key in ("x_train", "y_train", "x_test", "y_test"):
        np.testing.assert_array_equal(result[key], mnist[key])


def test_the_training_files_of_idx_are_enough(tmp_path, mnist):
    folder = write_mnist(tmp_path / "idx", mnist)
    for path in folder.glob("t10k*"):
        path.unlink()
    result = read_mnist(ingestion(folder))
    assert len(result["y_train"]) + len(result["y_test"]) == 800
    assert result["test_split"].startswith("held out here")
