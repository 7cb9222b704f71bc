import numpy as np
import pytest

from mnist_kedro.parameters import AdversarialParameters
from mnist_kedro.pipelines.adversarial import create_pipeline
from mnist_kedro.pipelines.adversarial.nodes import attack_models
from mnist_kedro.plots.adversarial import plot_adversarial_accuracy, plot_adversarial_digits
from tests.support.reporting import drawn, texts

ADVERSARIAL = AdversarialParameters(digits=50, epsilons=(0.05, 0.3), pgd_steps=5, seed=0)


@pytest.fixture(scope="module")
def accuracies(trained, digits):
    return attack_models(digits, ADVERSARIAL, cnn=trained, again=trained)


def test_stronger_attacks_are_misread_more_often(accuracies):
    assert len(accuracies) == 2 * 2 * 3
    assert set(accuracies["digits"]) == {50}
    np.testing.assert_allclose(accuracies["accuracy"], 1 - accuracies["errors"] / 50)
    for _, own in accuracies.groupby(["model", "attack"]):
        assert own["epsilon"].tolist() == [0, 0.05, 0.3]
        assert own["accuracy"].iloc[0] > 0.95
        assert own["accuracy"].is_monotonic_decreasing
    last = accuracies[accuracies["epsilon"] == 0.3].set_index(["model", "attack"])["errors"]
    assert last["cnn", "pgd"] >= last["cnn", "fgsm"]
    assert last["cnn", "pgd"] == last["again", "pgd"] > 40


def test_the_figure_says_what_it_takes(accuracies, digits):
    figure = plot_adversarial_accuracy(digits, accuracies)
    assert "% of the digits" in texts(figure)
    assert "When each pixel changes by up to" in texts(figure)
    assert len(figure.axes[0].lines) == 4
    drawn(figure)
    strong = accuracies.assign(accuracy=0.97)
    figure = plot_adversarial_accuracy(digits, strong)
    assert "When each pixel changes by up to 30%, the CNN misclassifies 3% of the digits" in texts(
        figure
    )


def test_the_digits_are_shown(trained, digits):
    figure = plot_adversarial_digits(trained, digits, ADVERSARIAL, name="cnn")
    assert len(figure.axes[0].texts) == 30
    assert "at most 0%, 5%, 30% of their range" in texts(figure)
    assert "of these 10 digits" in texts(figure)
    drawn(figure)


def test_the_pipeline_reads_the_models_and_the_test_digits():
    assert create_pipeline(("resnet", "cnn")).inputs() == {
        "test",
        "params:adversarial",
        "resnet.model",
        "cnn.model",
    }
