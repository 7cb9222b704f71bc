"""Faults that are put into real digits are found, and digits without faults are not blamed."""

import json
from copy import deepcopy

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from mnist_kedro.arrays import Rows
from mnist_kedro.lineage import KEY, lineage_of
from mnist_kedro.parameters import check_parameters
from mnist_kedro.pipelines.data_quality import nodes
from mnist_kedro.pipelines.data_quality.nodes import (
    check_classes,
    check_content,
    check_duplicates,
    check_images,
    check_label_errors,
    check_near_duplicates,
    collect_findings,
)
from mnist_kedro.reports.data_quality import render_data_quality
from mnist_kedro.sources import read_mnist
from tests.reports.test_reports import Page
from tests.support.browser import needs_chromium, page_at
from tests.support.damage import copy_digits, cut, flip_labels
from tests.support.networks import NETWORKS
from tests.support.parameters import SMOKE, configured, ingestion, training
from tests.support.paths import FULL_MNIST, ROOT, needs_full_mnist
from tests.support.project import python
from tests.support.reporting import RUN

QUALITY = SMOKE.data_quality.model_copy(update={"examples": 6, "steps": 150})


@pytest.fixture
def damaged(mnist):
    """The digits, to be changed."""
    return deepcopy(mnist)


def check(mnist):
    """Run all checks but that of the labels; return the findings, and the mean digits."""
    images, means = check_images(mnist, QUALITY.examples)
    quality = collect_findings(
        mnist,
        classes=check_classes(mnist),
        content=check_content(mnist),
        images=images,
        duplicates=check_duplicates(mnist, QUALITY.examples),
        near_duplicates=check_near_duplicates(mnist, QUALITY.examples),
    )
    return quality, means


def findings_of(mnist):
    return {finding["name"]: finding for finding in check(mnist)[0]["findings"]}


def severities_of(mnist):
    """Return the severity of all that is not ok, by the name of the finding."""
    found = {name: finding["severity"] for name, finding in findings_of(mnist).items()}
    return {name: severity for name, severity in found.items() if severity != "ok"}


def test_real_digits_have_no_fault(mnist):
    quality, _ = check(mnist)
    assert [found["name"] for found in quality["findings"] if found["severity"] != "ok"] == []
    assert quality["severities"] == {"problem": 0, "warning": 0, "note": 0, "ok": 18}
    assert quality[KEY] == lineage_of(mnist)
    json.dumps(quality)


def test_copies_are_found_within_and_between_the_splits(damaged):
    copy_digits(damaged, "train", slice(0, 12), slice(100, 112))
    copy_digits(damaged, "test", slice(0, 7), slice(200, 207))
    copy_digits(damaged, "train", slice(20, 23), slice(120, 123), relabel=1)
    found = findings_of(damaged)
    assert found["train_duplicates"]["count"] == 15
    assert found["train_duplicates"]["severity"] == "warning"
    assert found["leaks"]["severity"] == "problem"
    assert found["leaks"]["sentence"] == "7 test digits equal training digits"
    assert (found["leaks"]["count"], found["leaks"]["of"]) == (7, 200)
    assert sorted(found["leaks"]["rows"]["test"]) == [*range(7)]
    first, second = found["leaks"]["examples"][0]
    assert (first["split"], second["split"]) == ("train", "test")
    assert second["row"] == first["row"] - 200
    assert sorted(found["conflicting_labels"]["rows"]["train"]) == [20, 21, 22, 120, 121, 122]
    assert found["near_duplicates"]["count"] == 0  # They are not counted twice.


def test_digits_that_do_not_resemble_their_labels_are_found(damaged):
    damaged["x_test"] = damaged["x_test"].transpose(0, 2, 1)
    damaged["y_train"], _ = flip_labels(damaged["y_train"], 0.3, seed=0)
    found = findings_of(damaged)
    assert found["test_content"]["severity"] == "problem"
    assert found["test_content"]["sentence"] == "The test images are transposed"
    assert found["training_content"]["severity"] == "warning"
    assert "% of 800 training digits resemble" in found["training_content"]["sentence"]


def test_edited_copies_are_found(damaged):
    noise = np.random.default_rng(0).normal(0, 5, (9, 28, 28))
    for split in ("train", "test"):
        copy_digits(damaged, split, slice(0, 9), slice(50, 59))
        damaged[f"x_{split}"][:9] = (damaged[f"x_{split}"][:9] + noise).clip(0, 255)
        noise = -noise
    found = findings_of(damaged)
    assert found["near_leaks"]["rows"]["test"] == [*range(9)]
    assert found["near_duplicates"]["count"] >= 9
    assert found["leaks"]["count"] == 0


def test_defects_of_images_are_found(damaged):
    images = damaged["x_train"]
    images[:9] = 0
    images[10:19] = 255 - images[10:19]
    images[20:30] = cut(images[20:30])
    ones = np.flatnonzero(damaged["y_test"] == 1)[:3]  # which stay within the image
    damaged["x_test"][ones] = np.roll(damaged["x_test"][ones], 4, axis=2)
    found = findings_of(damaged)
    assert found["blank"]["rows"] == {"train": [*range(9)], "test": []}
    assert found["blank"]["severity"] == "warning"
    assert found["inverted"]["rows"]["train"] == [*range(10, 19)]
    assert found["cut"]["rows"]["train"] == [*range(20, 30)]
    assert found["off_center"]["rows"] == {"train": [], "test": ones.tolist()}
    assert found["off_center"]["examples"][0] == [{"split": "test", "row": ones[0], "label": 1}]


@pytest.mark.parametrize(("kept", "severity"), [(25, "warning"), (3, "problem")])
def test_rare_classes_are_found(damaged, kept, severity):
    fours = np.flatnonzero(damaged["y_train"] == 4)
    for key in ("x_train", "y_train"):
        damaged[key] = np.delete(damaged[key], fours[kept:], axis=0)
    found = findings_of(damaged)["class_balance"]
    assert found["severity"] == severity
    assert "as frequent as the digit 4" in found["sentence"]
    assert "class 4" in found["advice"]


def test_splits_that_differ_are_found(damaged):
    damaged["x_test"] = damaged["x_test"] // 2
    few = damaged["y_test"] < 5
    damaged["x_test"], damaged["y_test"] = damaged["x_test"][few], damaged["y_test"][few]
    severities = severities_of(damaged)
    assert severities["split_difference"] == "problem"
    assert severities["class_proportions"] == "problem"
    assert (
        severities_of({**damaged, "x_train": damaged["x_train"] // 2})["pixel_range"] == "warning"
    )


def test_one_digit_is_described_in_the_singular(damaged):
    damaged["x_train"][0] = 0
    assert findings_of(damaged)["blank"]["sentence"] == "1 image is blank"


def test_digits_in_a_file_are_read_in_blocks(damaged, monkeypatch):
    copy_digits(damaged, "train", slice(0, 12), slice(100, 112))
    copy_digits(damaged, "test", slice(0, 7), slice(200, 207))
    largest = 0

    def lazy(images):
        def read(start, stop):
            nonlocal largest
            largest = max(largest, stop - start)
            return images[start:stop]

        return Rows(images.shape, images.dtype, read)

    tiled = {key: np.concatenate([damaged[key]] * 30) for key in ("x_train", "y_train")}
    many = {**damaged, **tiled}
    expected, means = check(many)
    rows = {**many, **{key: lazy(many[key]) for key in ("x_train", "x_test")}}
    found, streamed = check(rows)
    assert found == expected
    np.testing.assert_array_equal(means["images"], streamed["images"])
    assert largest <= 10_000 < len(many["y_train"])


def test_near_duplicates_are_searched_in_a_sample_of_many_digits(damaged, monkeypatch):
    monkeypatch.setattr(nodes, "_COMPARED", 300)
    (leaked, within) = check_near_duplicates(damaged, QUALITY.examples)["findings"]
    assert (leaked["of"], within["of"]) == (150, 300)
    assert within["sentence"].endswith("in a sample of 300")


@pytest.fixture(scope="module")
def mislabeled():
    """The embedded sample with 5% wrong labels in both splits, and the rows of these."""
    sample = read_mnist(ingestion("sample"))
    rows = {}
    for seed, split in enumerate(("train", "test")):
        sample[f"y_{split}"], rows[split] = flip_labels(sample[f"y_{split}"], 0.05, seed)
    return sample, rows


@pytest.fixture(scope="module")
def label_errors(mislabeled):
    recipe = training(learning_rate=0.02)
    return check_label_errors(mislabeled[0], QUALITY, recipe, NETWORKS["cnn"])


def test_wrong_labels_are_found(mislabeled, label_errors):
    sample, flipped = mislabeled
    table, findings = label_errors
    assert [found["severity"] for found in findings["findings"]] == ["problem"]
    for split, own in table.groupby("split"):
        assert np.isin(flipped[split], own["row"]).mean() > 0.8
        assert np.isin(own["row"], flipped[split]).mean() > 0.6
        truth = read_mnist(ingestion("sample"))[f"y_{split}"][own["row"]]
        assert np.mean(own["suggested"] == truth)[()] > 0.5
        np.testing.assert_array_equal(own["label"], sample[f"y_{split}"][own["row"]])
    example = findings["findings"][0]["examples"][0][0]
    assert (example["row"], example["suggested"]) == (table["row"][0], table["suggested"][0])
    assert table[KEY][0] == f"data:{lineage_of(sample)['data']}"


@pytest.mark.slow
def test_the_same_seed_finds_the_same_label_errors(mislabeled, label_errors):
    recipe = training(learning_rate=0.02)
    again, _ = check_label_errors(mislabeled[0], QUALITY, recipe, NETWORKS["cnn"])
    assert again.equals(label_errors[0])


def test_label_errors_are_searched_in_a_sample_of_many_digits(mislabeled, monkeypatch):
    monkeypatch.setattr(nodes, "_PREDICTED", 500)
    few = QUALITY.model_copy(update={"steps": 1})
    _, findings = check_label_errors(mislabeled[0], few, training(), NETWORKS["cnn"])
    for found in findings["findings"]:
        assert found["of"] == 1000
        assert found["sentence"].endswith("in a sample of 1,000")


@needs_full_mnist
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_of_mnists_wrong_labels_nine_of_ten_are_found(seed):
    mnist = read_mnist(ingestion(FULL_MNIST))
    labels, flipped = flip_labels(mnist["y_train"], 0.01, seed)
    base = check_parameters(configured("local"))
    options = (base.data_quality, base.training, base.networks["cnn"])
    table, _ = check_label_errors({**mnist, "y_train": labels}, *options)
    found = table.loc[table["split"] == "train", "row"]
    assert np.isin(flipped, found).mean() >= 0.9
    assert np.isin(found, flipped).mean() >= 0.8


def test_the_checks_do_not_import_tensorflow():
    code = """if True:
        import sys
        from mnist_kedro.pipelines.data_quality import create_pipeline
        assert len(create_pipeline(label_errors=True).nodes) == 8
        assert not {"tensorflow", "keras"} & sys.modules.keys()
    """
    done = python(ROOT, "-c", code)
    assert done.returncode == 0, done.stderr


def test_the_page_loads_nothing_and_describes_its_pictures(damaged):
    damaged["x_train"][:9] = 0
    damaged["source"] = "<script>alert(1)</script>"
    copy_digits(damaged, "test", slice(0, 7), slice(200, 207))
    quality, means = check(damaged)
    page = Page(render_data_quality(damaged, means, quality, RUN))
    said = " ".join(" ".join(page.said).split())
    assert not page.loaded
    assert len(page.images) == 20 + 6 + 2 * 3
    assert all(image["src"].startswith("data:image/png;base64,") for image in page.images)
    assert all(image["alt"] for image in page.images)
    assert all(link.removeprefix("#") in page.ids for link in page.links)
    assert "Fix 1 problem in script> before you train on it" in said
    assert "7 test digits equal training digits" in said
    assert "data_quality.label_errors=true" in said


def test_the_page_of_good_digits_is_calm(mnist):
    quality, means = check(mnist)
    page = render_data_quality(mnist, means, quality, RUN)
    assert "No problems found in the sample" in page
    assert "All 18 checks passed." in page
    assert 'class="badge problem"' not in page


def test_a_run_writes_the_findings_and_the_page(finished):
    options = ("--pipelines", "data_quality", "--params", "data_quality.label_errors=true")
    log = finished.make(*options)
    assert "label errors, network 2 of 2" in log
    assert "Data quality: data/smoke/08_reporting/data_quality.html" in log
    assert finished.versions("08_reporting/label_errors.csv")
    quality = finished.latest_json("08_reporting/data_quality.json")
    assert len(quality["findings"]) == 19
    page = finished.latest("08_reporting/data_quality.html").read_text()
    assert "probably wrong" in page
    assert "Not checked" not in page


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_a_phone_and_a_desk(damaged, tmp_path, width, scheme):
    damaged["x_train"][:9] = 0
    copy_digits(damaged, "test", slice(0, 7), slice(200, 207))
    quality, means = check(damaged)
    file = tmp_path / "page.html"
    file.write_text(render_data_quality(damaged, means, quality, RUN))
    with page_at(file.as_uri(), width, 844, color_scheme=scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth == 28)")
        page.get_by_role("link", name="7 test digits equal training digits").click()
        assert page.get_by_role("heading", name="7 test digits equal").is_visible()
        assert Axe().run(page).response["violations"] == []
