"""The report and the model card say what the metrics say, and need nothing else."""

import html
import re
from html.parser import HTMLParser

import pandas as pd
import pytest
import yaml

from mnist_kedro.datasets.figure_dataset import Picture
from mnist_kedro.errors import InputError
from mnist_kedro.pipelines.evaluation.nodes import collect_metrics, compare_models
from mnist_kedro.reports import render_model_card, render_report
from tests.support.browser import needs_chromium, page_at
from tests.support.catalog import stored_datasets
from tests.support.reporting import RUN, evaluate, history_of, predictions_of

SECTIONS = {"Mistakes": ["worst_mistakes", "confusion_matrix"], "Robustness": ["robustness"]}
FIGURES = [figure for figures in SECTIONS.values() for figure in figures]
LAYERS = pd.DataFrame(
    [["standardize", "Normalization", "(28, 28, 1)", 0], ["logits", "Dense", "(10,)", 330]],
    columns=["layer", "type", "output shape", "parameters"],
)


@pytest.fixture
def corruptions():
    rows = [
        ("cnn", "none", "none", 0, 100, 1, 0.99),
        ("cnn", "rotation", "related", 3, 100, 20, 0.8),
        ("cnn", "elastic", "related", 3, 100, 40, 0.6),
        ("cnn", "stripe", "unseen", 3, 100, 45, 0.55),
        ("cnn", "photographed", "photographed", 0, 50, 5, 0.9),
        ("dense", "rotation", "unseen", 3, 100, 90, 0.1),
        ("dense", "photographed", "photographed", 0, 50, 40, 0.2),
    ]
    columns = ["model", "corruption", "family", "severity", "digits", "errors", "accuracy"]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture
def confidences():
    kinds = {"digits": [1.0, 0.9], "noise": [0.999, 0.2], "blank": [0.3]}
    rows = [("cnn", kind, value) for kind, values in kinds.items() for value in values]
    table = pd.DataFrame(rows, columns=["model", "kind", "confidence"])
    return table.assign(is_digit=[True, False, False, False, True])


@pytest.fixture
def metrics(digits):
    cnn, dense = predictions_of(digits, 8), predictions_of(digits, 40)
    history = history_of(digits)
    return collect_metrics(
        digits,
        digits,
        digits,
        compare_models(cnn=cnn, dense=dense),
        cnn=evaluate(cnn, history, digits),
        dense=evaluate(dense, history, digits),
    )


def told(metrics, corruptions, confidences):
    """Return the answers of a report by their questions."""
    page = render_report(metrics, corruptions, confidences, LAYERS, RUN, {})
    answers = re.findall(r"<h3>([^<]*)</h3>\n *<p>([^<]*)</p>", page)
    return {question: html.unescape(answer) for question, answer in answers}


def test_a_readers_questions_are_answered(metrics, corruptions, confidences):
    answers = told(metrics, corruptions, confidences)
    right = "The CNN classifies 99.00% of 800 test digits correctly and 8 incorrectly."
    assert right in answers["How good is it?"]
    assert "95% confidence interval 98.04–99.49%" in answers["How certain is that?"]
    assert "with seed 0" in answers["How certain is that?"]
    assert "not comparable with published results on MNIST" in answers["Which data was used?"]
    assert "800 training, 800 validation and 800 test digits" in answers["Which data was used?"]
    assert "The dense network classifies 95.00%" in answers["How does it compare?"]
    assert "difference of 4.00 percentage points" in answers["How does it compare?"]
    assert "p < 0.001" in answers["How does it compare?"]
    fails = answers["Where does it fail?"]
    assert "severity 3 of 5 it classifies 70.0% correctly under corruptions that are" in fails
    assert "55.0% under corruptions unlike its training digits" in fails
    assert "55.0% under the hardest (stripe)" in fails
    assert "Of 50 test digits on simulated paper it classifies 90.0% correctly" in fails
    assert "over 99% sure of 50% of the noise images" in fails
    assert "flags 66.7% of the non-digit images, and 50.0% of the test digits" in fails


def test_three_kinds_of_digits_are_side_by_side(metrics, corruptions, confidences):
    page = render_report(metrics, corruptions, confidences, LAYERS, RUN, {})
    table = page.split("As they are, corrupted and photographed")[1].split("</table>")[0]
    rows = [re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", row) for row in table.split("<tr>")[2:]]
    assert rows == [
        ["cnn", "99.00%", "70.0%", "55.0%", "90.0%", "78.6–95.7%"],
        ["dense", "95.00%", "–", "10.0%", "20.0%", "11.2–33.0%"],
    ]


def test_corruptions_of_an_earlier_version_have_to_be_measured_again(
    metrics, corruptions, confidences
):
    with pytest.raises(InputError, match="without the column 'family'; run 'kedro run --pipel"):
        told(metrics, corruptions.drop(columns="family"), confidences)


def test_tables_of_earlier_versions_say_nothing_of_the_detector(metrics, corruptions, confidences):
    answers = told(metrics, corruptions, confidences.drop(columns="is_digit"))
    assert "detector" not in answers["Where does it fail?"]


def test_of_mnist_the_wrong_labels_are_told(metrics, corruptions, confidences):
    metrics["data"]["canonical_mnist"] = True
    rest = {"excluded": 15, "accuracy": 0.9979, "accuracy_ci95": (0.99, 1.0), "errors": 3}
    metrics["models"]["cnn"]["without_label_errors"] = rest
    answers = told(metrics, corruptions, confidences)
    assert "15 of these digits are known to be mislabeled" in answers["How good is it?"]
    assert "99.79%" in answers["How good is it?"]
    assert "byte for byte" in answers["Which data was used?"]


def test_of_an_ensemble_the_seeds_are_told(metrics, corruptions, confidences):
    members = {"seeds": [0, 1, 2], "mean_accuracy": 0.985, "standard_deviation": 0.002}
    metrics["models"]["cnn_ensemble"] = {**metrics["models"]["cnn"], "members": members}
    answers = told(metrics, corruptions, confidences)
    sentence = "Trained with 3 seeds, it has an accuracy of 98.50% ± 0.20%"
    assert sentence in answers["How certain is that?"]


def test_a_model_alone_without_a_mistake_has_answers_too(metrics, corruptions, confidences):
    cnn = metrics["models"]["cnn"]
    cnn["top_confusions"] = []
    cnn["rejection"]["accuracy"] = None
    alone = {**metrics, "models": {"cnn": cnn}, "comparison": {}}
    answers = told(alone, corruptions[corruptions["model"] == "cnn"], confidences)
    assert "No other model was trained" in answers["How does it compare?"]
    assert "confusion" not in answers["Where does it fail?"]
    assert "reject option" not in answers["How good is it?"]


class Page(HTMLParser):
    """What an HTML page refers to and says."""

    def __init__(self, text):
        super().__init__()
        self.images, self.links, self.ids, self.said = [], [], set(), []
        self.loaded = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if "id" in attributes:
            self.ids.add(attributes["id"])
        if tag == "img":
            self.images.append(attributes)
        elif tag == "a":
            self.links.append(attributes["href"])
        elif tag in ("script", "link", "iframe", "object"):
            self.loaded.append(attributes)

    def handle_data(self, data):
        self.said.append(data)


@pytest.fixture
def pictures():
    return {
        name: Picture(b"\x89PNG", f"Title of {name}", "How to read it.", "MNIST")
        for name in FIGURES
    }


def report(metrics, corruptions, confidences, pictures):
    told = (metrics, corruptions, confidences, LAYERS, RUN, SECTIONS)
    return Page(render_report(*told, **{f"figure_{k}": v for k, v in pictures.items()}))


def test_the_report_is_one_page_that_loads_nothing(metrics, corruptions, confidences, pictures):
    page = report(metrics, corruptions, confidences, pictures)
    assert not page.loaded
    assert len(page.images) == len(FIGURES)
    for image in page.images:
        assert image["src"].startswith("data:image/png;base64,")
        assert image["alt"].startswith("Title of ")
    assert all(link.removeprefix("#") in page.ids for link in page.links)


def test_the_report_has_the_numbers(metrics, corruptions, confidences, pictures):
    text = " ".join(report(metrics, corruptions, confidences, pictures).said)
    for number in ("99.00%", "98.04–99.49%", "95.00%", "1,234", "Normalization", RUN["id"]):
        assert number in text
    assert "0123456789abcdef" in text
    assert "with uncommitted changes" in text
    assert "kedro run --env quick" in " ".join(text.split())
    assert "epochs: 2" in text
    assert metrics["data"]["sha256_x_train"] in text
    assert "absent" not in text


def test_what_a_person_named_does_not_become_html(metrics, corruptions, confidences, pictures):
    metrics["data"]["source"] = metrics["data"]["description"] = "<script>alert(1)</script>"
    page = report(metrics, corruptions, confidences, pictures)
    assert not page.loaded
    assert any("<script>" in said for said in page.said)


def test_the_model_card_is_what_hugging_face_reads(metrics, corruptions, confidences):
    card = render_model_card(metrics, corruptions, confidences, LAYERS, RUN)
    _, head, body = card.split("---\n", 2)
    described = yaml.safe_load(head)
    (result,) = described["model-index"][0]["results"]
    assert described["library_name"] == "keras"
    assert "datasets" not in described
    assert result["metrics"] == [{"type": "accuracy", "value": 0.99}]
    assert "sample" in result["dataset"]["name"]
    assert "| dense | 95.00% | 93.26–96.31% | 40 |" in body
    assert "{{" not in card
    metrics["data"]["canonical_mnist"] = True
    card = render_model_card(metrics, corruptions, confidences, LAYERS, {**RUN, "git": None})
    described = yaml.safe_load(card.split("---\n", 2)[1])
    assert described["datasets"] == ["ylecun/mnist"]
    assert "Census Bureau" in card
    metrics["data"] |= {"canonical_mnist": False, "source": "mine.hdf5"}
    card = render_model_card(metrics, corruptions, confidences, LAYERS, RUN)
    assert "Census Bureau" not in card


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_report_fits_a_phone_and_a_desk(smoke, width, scheme):
    address = smoke.latest("08_reporting/report.html").as_uri()
    with page_at(address, width, 844, color_scheme=scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate(
            "[...document.images].every(i => i.complete && i.naturalWidth > 500 && i.alt)"
        )
        figures = [name for name in stored_datasets() if name.startswith("figures.")]
        assert page.evaluate("document.images.length") == len(figures)
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the answers"
        page.get_by_role("navigation").get_by_role("link", name="Reproduce").click()
        assert page.get_by_role("heading", name="Reproduce", exact=True).is_visible()
