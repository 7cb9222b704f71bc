import numpy as np

from mnist_kedro.metrics.confident_learning import find_label_errors


def predictions(labels, sure=0.97):
    probabilities = np.full((len(labels), 10), (1 - sure) / 9)
    probabilities[np.arange(len(labels)), labels] = sure
    return probabilities


def test_finds_flipped_labels_the_least_probable_first():
    truth = np.tile(np.arange(10), 50)
    probabilities = predictions(truth)
    probabilities[7] = predictions(truth[7:8], 0.999)[0]
    labels = truth.copy()
    labels[[3, 7, 100]] = (truth[[3, 7, 100]] + 1) % 10
    assert find_label_errors(labels, probabilities).tolist() == [7, 3, 100]
    assert find_label_errors(truth, probabilities).size == 0


def test_an_unsure_prediction_of_another_class_is_no_label_error():
    labels = np.tile(np.arange(10), 50)
    probabilities = predictions(labels)
    probabilities[4] = 0.3 * np.eye(10)[4] + 0.7 * np.eye(10)[9]
    assert find_label_errors(labels, probabilities).size == 0


def test_confidence_is_relative_to_that_of_the_class():
    """Networks that are never sure of sevens: a likely seven with another label is an issue."""
    labels = np.repeat([1, 7], 100)
    probabilities = np.concatenate([predictions(labels[:100]), predictions(labels[100:], 0.6)])
    probabilities[0] = 0.3 * np.eye(10)[1] + 0.7 * np.eye(10)[7]
    assert find_label_errors(labels, probabilities).tolist() == [0]
