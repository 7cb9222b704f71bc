"""The report and the model card say what the metrics say, and need nothing else."""

import base64
import html
import re
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from mnist_kedro.contracts import LEAKED
from mnist_kedro.datasets.figure_dataset import Picture
from mnist_kedro.errors import InputError
from mnist_kedro.pipelines.evaluation.nodes import collect_metrics, compare_models
from mnist_kedro.reports import DRAWN_BY_THE_PAGE, render_model_card, render_report
from tests.support.browser import needs_chromium, page_at
from tests.support.catalog import stored_datasets
from tests.support.reporting import RUN, evaluate, history_of, predictions_of

SECTIONS = {
    "Mistakes": ["worst_mistakes", "confusion_matrix", "test_digits"],
    "Robustness": ["robustness"],
    "What it has learned": ["embedding"],
}
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


@pytest.fixture
def render(digits, corruptions, confidences):
    """Return a function that renders a report; its keywords replace arguments of the report."""
    predictions = predictions_of(digits, 8)
    embedded = predictions[["label", "prediction"]].assign(
        digit=range(800), x=np.linspace(-1, 1, 800), y=np.linspace(1, -1, 800) ** 2
    )

    def render(metrics, **changed):
        arguments = {
            "corruptions": corruptions,
            "confidences": confidences,
            "layers": LAYERS,
            "run": RUN,
            "test": digits,
            "predictions": predictions,
            "embedded_digits": embedded,
            "sections": {},
        }
        return render_report(metrics, **arguments | changed)

    return render


def answers_of(page):
    """Return the answers of a report by their questions."""
    checks = re.findall(
        r'<li class="(\w+)"><b>([^<]*)</b><span[^>]*>[^<]*</span>(.*?)</li>', page, re.DOTALL
    )
    answers = re.findall(r"<h3>([^<]*)</h3>\n *<p>([^<]*)</p>", page)
    answers += [(question, f"{mark}: {answer}") for mark, question, answer in checks]
    return {
        question: " ".join(html.unescape(re.sub("<[^>]*>", "", answer)).split())
        for question, answer in answers
    }


def test_a_readers_questions_are_answered(metrics, render):
    answers = answers_of(render(metrics))
    right = "The CNN classifies 99.00% of 800 test digits correctly and 8 incorrectly."
    assert right in answers["How good is it?"]
    trained = answers["What was it trained on?"]
    assert "not comparable with published results on MNIST" in trained
    assert "800 training, 800 validation and 800 test digits" in trained
    assert (
        "The dense network classifies 95.00% of the same test digits"
        in answers["How does it compare?"]
    )
    assert "difference is 4.00 percentage points" in answers["How does it compare?"]
    assert "p < 0.001" in answers["How does it compare?"]
    fails = answers["Where does it fail?"]
    assert "(100 per corruption, severity 3 of 5): it classifies 70.0% correctly under" in fails
    assert "55.0% under other corruptions" in fails
    assert "55.0% under the hardest one (stripe)" in fails
    assert "Of 50 test digits on simulated paper it classifies 90.0% correctly" in fails
    assert "classifies 50% of 2 non-digit images (noise) with over 99% confidence" in fails
    assert "flags 66.7% of 3 non-digit images, and wrongly flags 50.0% of 2 test digits" in fails


def test_three_kinds_of_digits_are_side_by_side(metrics, render):
    page = render(metrics)
    table = page.split("Accuracy on clean, corrupted and photographed digits")[1].split("</table>")[
        0
    ]
    rows = [re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", row) for row in table.split("<tr>")[2:]]
    assert rows == [
        ["cnn", "99.00%", "70.0%", "55.0%", "90.0%", "78.6–95.7%"],
        ["dense", "95.00%", "–", "10.0%", "20.0%", "11.2–33.0%"],
    ]


def test_corruptions_of_an_earlier_version_have_to_be_measured_again(metrics, render, corruptions):
    with pytest.raises(InputError, match="column 'family' is missing, because an earlier"):
        render(metrics, corruptions=corruptions.drop(columns="family"))


def test_tables_of_earlier_versions_say_nothing_of_the_detector(metrics, render, confidences):
    answers = answers_of(render(metrics, confidences=confidences.drop(columns="is_digit")))
    assert "detector" not in answers["Where does it fail?"]
    assert "Does it detect non-digit images?" not in answers


def test_of_mnist_the_wrong_labels_are_told(metrics, render):
    metrics["data"]["canonical_mnist"] = True
    rest = {"excluded": 15, "accuracy": 0.9979, "accuracy_ci95": (0.99, 1.0), "errors": 3}
    metrics["models"]["cnn"]["without_label_errors"] = rest
    answers = answers_of(render(metrics))
    assert "15 of these digits are known to be mislabeled" in answers["How good is it?"]
    assert "99.79%" in answers["How good is it?"]
    assert "all SHA-256 digests match" in answers["What was it trained on?"]
    assert answers["Comparable with published results?"].startswith(
        "good: The data is the canonical MNIST, byte for byte"
    )


def test_of_an_ensemble_the_seeds_are_told(metrics, render):
    members = {"seeds": [0, 1, 2], "mean_accuracy": 0.985, "standard_deviation": 0.002}
    metrics["models"]["cnn_ensemble"] = {**metrics["models"]["cnn"], "members": members}
    found = answers_of(render(metrics))["Confirmed with several seeds?"]
    assert found.startswith("good: 3 trainings with different seeds reached 98.50% ± 0.20% (mean")


def test_a_model_alone_without_a_mistake_has_answers_too(metrics, render, corruptions, digits):
    cnn = metrics["models"]["cnn"]
    cnn["top_confusions"] = []
    cnn["rejection"]["accuracy"] = None
    alone = {**metrics, "models": {"cnn": cnn}, "comparison": {}}
    corruptions = corruptions[corruptions["model"] == "cnn"]
    page = render(
        alone,
        corruptions=corruptions,
        predictions=predictions_of(digits, 0),
        sections={"Mistakes": ["worst_mistakes"]},
    )
    assert "<select" not in page
    answers = answers_of(page)
    assert "No other model was trained" in answers["How does it compare?"]
    assert "confusion" not in answers["Where does it fail?"]
    assert "reject option" not in answers["How good is it?"]


class Page(HTMLParser):
    """What an HTML page refers to and says."""

    def __init__(self, text):
        super().__init__()
        self.images, self.links, self.ids, self.said = [], [], set(), []
        self.loaded, self.tags = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append(tag)
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


def test_leaked_test_digits_are_named_first(metrics, render):
    assert answers_of(render(metrics))["Test digits unseen in training?"].startswith(
        "good: No test"
    )
    metrics["data"]["warnings"] = f"12 of 800 {LEAKED}"
    page = render(metrics)
    found = answers_of(page)["Test digits unseen in training?"]
    assert found == "caution: 12 of 800 test digits are also training digits."
    assert "Warning: 12 of 800 test digits" in page.partition("<nav")[0]


def test_different_numbers_of_epochs_are_mentioned(metrics, render):
    metrics["models"]["dense"]["epochs"] = 9
    assert (
        "different numbers of epochs (2 and 9)"
        in answers_of(render(metrics))["How does it compare?"]
    )


def test_each_check_is_passed_or_needs_caution(metrics, render):
    answers = answers_of(render(metrics))
    interval = "caution: The 95% confidence interval is 98.04–99.49% (n = 800)."
    assert answers["Enough test digits?"] == interval
    assert answers["No tuning on the test set?"].startswith("good: No hyperparameter, number of")
    assert answers["Comparable with published results?"].startswith(
        "caution: The data is not the canonical MNIST."
    )
    assert "caution: It was trained with one seed (0)." in answers["Confirmed with several seeds?"]
    # 99% of the digits are correct, with a confidence of 91%.
    realistic = "caution: Confidence and accuracy differ by 8.0 percentage points"
    assert answers["Well calibrated?"].startswith(realistic)
    photos = "caution: It classifies 90.0% of 50 test digits on simulated paper correctly."
    assert answers["Does it work on simulated photos?"] == photos
    flagged = "flags 66.7% of 3 non-digit images, and wrongly 50.0% of 2 test digits"
    assert flagged in answers["Does it detect non-digit images?"]


@pytest.fixture
def pictures():
    file = BytesIO()
    Image.new("RGB", (40, 50), "white").save(file, "PNG")
    return {
        f"figure_{name}": Picture(
            file.getvalue(), f"Title of {name}", "How to read it.", "MNIST", {}, (0.2, 0.9)
        )
        for name in ("confusion_matrix", "robustness", "test_digits")
    }


@pytest.fixture
def page(metrics, render, pictures):
    return Page(render(metrics, sections=SECTIONS, **pictures))


def test_the_report_is_one_page_that_loads_nothing(page):
    assert [script for script in page.loaded if "src" in script or "href" in script] == []
    mistakes = [image for image in page.images if image["alt"].startswith("Test digit ")]
    assert len(mistakes) == 8
    assert len(page.images) == 8 + 3
    for image in page.images:
        assert image["src"].startswith("data:image/png;base64,")
    assert all(link.removeprefix("#") in page.ids for link in page.links)


def test_a_figure_is_shown_without_its_texts(page):
    (shown,) = [image for image in page.images if "confusion_matrix" in image["alt"]]
    png = base64.b64decode(shown["src"].partition(",")[2])
    assert Image.open(BytesIO(png)).size == (40, 35)
    assert "Title of confusion_matrix" in page.said


def test_the_report_has_the_numbers(page, metrics):
    text = " ".join(page.said)
    for number in ("99.00%", "98.04–99.49%", "95.00%", "1,234", "Normalization", RUN["id"]):
        assert number in text
    assert "0123456789abcdef" in text
    assert "with uncommitted changes" in text
    assert "kedro run --env quick" in " ".join(text.split())
    assert "epochs: 2" in text
    assert metrics["data"]["sha256_x_train"] in text
    assert "absent" not in text


def test_what_a_person_named_does_not_become_html(metrics, render, pictures):
    metrics["data"]["source"] = metrics["data"]["description"] = "<iframe></iframe>"
    page = Page(render(metrics, sections=SECTIONS, **pictures))
    assert [tag for tag in page.tags if tag == "iframe"] == []
    assert any("<iframe>" in said for said in page.said)


def test_the_model_card_is_what_hugging_face_reads(metrics, corruptions, confidences):
    card = render_model_card(metrics, corruptions, confidences, LAYERS, RUN)
    _, head, body = card.split("---\n", 2)
    described = yaml.safe_load(head)
    (result,) = described["model-index"][0]["results"]
    assert described["library_name"] == "keras"
    assert "datasets" not in described
    assert result["metrics"] == [{"type": "accuracy", "value": 0.99}]
    assert "sample" in result["dataset"]["name"]
    assert "| 40 |" in body
    table = body[body.index("| Model |") :].partition("\n\n")[0].splitlines()
    assert len(table) == 2 + 2  # head, line, and two models without a blank line between them
    assert table[3].startswith("| dense | 95.00% | 93.26–96.31% | 40 |")
    assert "95% confidence interval of its accuracy is 98.04–99.49%" in body
    assert "one seed (0)" in body
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
@pytest.mark.parametrize("width", [320, 390, 768, 1440])
def test_the_report_fits_a_phone_and_a_desk(smoke, width, scheme):
    report = smoke.latest("08_reporting/report.html")
    assert report.stat().st_size < 5e6
    with page_at(report.as_uri(), width, 844, color_scheme=scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate(
            "[...document.images].every(i => i.complete && i.naturalWidth && i.alt)"
        )
        figures = [name for name in stored_datasets() if name.startswith("figures.")]
        drawn_by_the_page = len(DRAWN_BY_THE_PAGE)
        assert page.locator("figure img").count() == len(figures) - drawn_by_the_page
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.get_by_role("navigation").get_by_role("link", name="Reproduce").click()
        assert page.get_by_role("heading", name="Reproduce", exact=True).is_visible()


@pytest.mark.slow
@needs_chromium
def test_accuracy_trust_and_digits_are_on_the_first_screen(smoke):
    address = smoke.latest("08_reporting/report.html").as_uri()
    with page_at(address, 1440, 900) as page:
        for selector in ("h1", "#trust li:last-child", ".first img"):
            box = page.locator(selector).bounding_box()
            assert box["y"] + box["height"] <= 900, selector
    with page_at(address, 390, 844) as page:
        assert page.locator("#trust h2").bounding_box()["y"] < 844


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_report(smoke, scheme):
    address = smoke.latest("08_reporting/report.html").as_uri()
    with page_at(address, 1280, 900, color_scheme=scheme, bypass_csp=True) as page:
        found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []


@pytest.mark.slow
@needs_chromium
def test_mistakes_can_be_filtered_and_points_show_their_digits(smoke):
    address = smoke.latest("08_reporting/report.html").as_uri()
    with page_at(address, 1280, 900) as page:
        mistakes = page.locator("#mistake-list .digit")
        total, label = mistakes.count(), mistakes.first.get_attribute("data-label")
        page.get_by_label("True digit").select_option(label)
        shown = page.locator(f"#mistake-list .digit[data-label='{label}']").count()
        assert page.locator("#mistake-list .digit:visible").count() == shown < total
        assert page.locator("output").text_content() == f"{shown} of {total} shown"

        points = page.locator("#points text")
        left = points.evaluate_all("all => all.map(point => +point.getAttribute('x'))")
        number = left.index(min(left))  # no other point covers the leftmost
        points.nth(number).hover()
        expected = f"Test digit {number}: {points.nth(number).text_content()}, classified"
        assert page.locator("#chosen-text").text_content().startswith(expected)
        page.get_by_role("button", name="Next mistake").click()
        assert "classified as" in page.locator("#chosen-text").text_content()
