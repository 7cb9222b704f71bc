from io import BytesIO

import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from kedro.io import DatasetError, Version
from matplotlib.figure import Figure
from PIL import Image

from mnist_kedro.datasets.figure_dataset import FigureDataset
from mnist_kedro.plots.style import annotate
from mnist_kedro.reports.digits import crop_texts


@pytest.fixture
def figure():
    drawn = Figure(figsize=(4, 3), layout="constrained")
    drawn.add_subplot().plot([1, 2, 3])
    return drawn


def dataset(folder, version=None):
    return FigureDataset(filepath=str(folder / "figure.png"), version=version)


def test_a_figure_comes_back_as_the_picture_that_was_saved(figure, tmp_path):
    dataset(tmp_path).save(figure)
    png = dataset(tmp_path).load().png
    assert png == (tmp_path / "figure.png").read_bytes()
    pixels = np.asarray(Image.open(BytesIO(png)).convert("L"))
    assert pixels.min() < 100 < pixels.max()


def test_the_picture_says_what_it_shows(figure, tmp_path):
    annotate(figure, "The finding: 99 %", "How to read it – with a dash", "Which digits")
    dataset(tmp_path).save(figure)
    texts = dataset(tmp_path).load()[1:4]
    assert texts == ("The finding: 99 %", "How to read it – with a dash", "Which digits")


def test_the_texts_can_be_cropped(figure, tmp_path):
    annotate(figure, "A finding of many words " * 5, "How to read it " * 9, "Which digits")
    dataset(tmp_path).save(figure)
    picture = dataset(tmp_path).load()
    assert picture.title == " ".join(["A finding of many words"] * 5)  # without line breaks
    with Image.open(BytesIO(crop_texts(picture))) as image:
        cropped = np.asarray(image.convert("L"))
    content = figure.get_figheight() - 3  # the texts' height, in inches
    assert len(cropped) / figure.dpi == pytest.approx(figure.get_figheight() - content, abs=0.2)
    edge = np.concatenate([cropped[:3], cropped[-3:]])
    assert (edge == 255).all()  # no text is cut


def test_a_figure_without_words_has_none(figure, tmp_path):
    dataset(tmp_path).save(figure)
    assert dataset(tmp_path).load()[1:] == ("", "", "", {}, (0, 1))


def test_a_notebook_shows_the_picture(figure, tmp_path):
    annotate(figure, "The finding", "How to read it", "Which digits")
    dataset(tmp_path).save(figure)
    picture = dataset(tmp_path).load()
    shown, options = DisplayFormatter().format(picture)
    assert shown == {"image/png": picture.png, "text/plain": "Picture('The finding')"}
    assert options["image/png"]["width"] < Image.open(BytesIO(picture.png)).width


def test_the_latest_version_is_loaded(figure, tmp_path):
    for version in ("2026-01-01T00.00.00.000Z", "2026-01-02T00.00.00.000Z"):
        annotate(figure, version, "", "")
        dataset(tmp_path, Version(None, version)).save(figure)
        for text in list(figure.texts):
            text.remove()
    assert dataset(tmp_path, Version(None, None)).load().title == "2026-01-02T00.00.00.000Z"


def test_what_is_no_picture_is_an_error_with_the_file(tmp_path):
    (tmp_path / "figure.png").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"figure\.png"):
        dataset(tmp_path).load()


def test_previews_the_picture(figure, tmp_path):
    dataset(tmp_path).save(figure)
    assert len(dataset(tmp_path).preview()) > 1000


def test_figures_of_a_list_or_a_dictionary_are_saved_in_a_folder(figure, tmp_path):
    dataset = FigureDataset(filepath=str(tmp_path / "figures"), overwrite=True)
    dataset.save({"one.png": figure, "other.png": figure})
    assert {*dataset.load()} == {"one.png", "other.png"}
    dataset.save([figure])
    assert {*dataset.load()} == {"0.png"}  # the others are overwritten
