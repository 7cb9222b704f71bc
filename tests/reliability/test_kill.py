"""Runs that are killed; see ``kill.py``, which does it 200 times."""

import pytest

from tests.reliability.kill import kill_runs

RESUME = ("--params", "training.resume=true")
METRICS_NODES = "cnn.evaluate_model,dense.evaluate_model,compare_models,collect_metrics"
MADE_BY = {
    "mnist.hdf5": ("--pipelines", "ingestion"),
    "train.hdf5": ("--nodes", "split_training_digits"),
    "validation.hdf5": ("--nodes", "split_training_digits"),
    "test.hdf5": ("--nodes", "select_test_digits"),
    "pixel_statistics.json": ("--nodes", "compute_pixel_statistics"),
    "augmented_digits.png": ("--nodes", "draw_augmented_digits"),
    "cnn.keras": ("--nodes", "cnn.train_model", *RESUME),
    "cnn_history.json": ("--nodes", "cnn.train_model", *RESUME),
    "epoch_00002.hdf5": ("--nodes", "dense.train_model", *RESUME),
    "dense.keras": ("--nodes", "dense.train_model", *RESUME),
    "cnn_predictions.csv": ("--nodes", "cnn.predict_test_digits"),
    "cnn_validation_predictions.csv": ("--nodes", "cnn.predict_validation_digits"),
    "metrics.json": ("--nodes", METRICS_NODES),
    "corruption_accuracies.csv": ("--nodes", "evaluate_corruptions"),
    "out_of_distribution_confidences.csv": ("--nodes", "measure_out_of_distribution"),
    "cnn_layers.csv": ("--nodes", "describe_layers"),
    "report.html": ("--nodes", "write_report"),
    "model_card.md": ("--nodes", "write_model_card"),
    "run_manifest.json": ("--nodes", "compute_pixel_statistics"),
    "training_curves.png": ("--nodes", "draw_training_curves"),
    "confusion_matrix.png": ("--nodes", "draw_confusion_matrix"),
    "sample_predictions.png": ("--nodes", "draw_sample_predictions"),
    "worst_mistakes.png": ("--nodes", "draw_worst_mistakes"),
    "least_confident_hits.png": ("--nodes", "draw_least_confident_hits"),
    "class_balance.png": ("--nodes", "draw_class_balance"),
    "reliability_diagram.png": ("--nodes", "draw_reliability_diagram"),
    "risk_coverage.png": ("--nodes", "draw_risk_coverage"),
    "robustness.png": ("--nodes", "draw_robustness"),
    "out_of_distribution.png": ("--nodes", "draw_out_of_distribution"),
    "first_layer.png": ("--nodes", "draw_first_layer"),
    "feature_maps.png": ("--nodes", "draw_feature_maps"),
    "attributions.png": ("--nodes", "draw_attributions"),
    "embedding.png": ("--nodes", "draw_embedding"),
}


@pytest.mark.parametrize("name", MADE_BY)
def test_a_kill_in_the_middle_of_a_save_leaves_no_version(running_project, name):
    before = running_project.files()
    killed = running_project.run(*MADE_BY[name], kill_in=name)
    assert killed.status == -9, killed.log
    left = running_project.files()
    assert {path: left.get(path) for path in before} == before
    assert not [path for path in left.keys() - before.keys() if path.endswith(name)]
    running_project.check(sorted(left.keys() - before.keys()))

    good = running_project.run(*MADE_BY[name])
    assert good.status == 0, good.log
    now = running_project.files()
    assert {path: now.get(path) for path in left} == left
    made = sorted(now.keys() - left.keys())
    assert made
    running_project.check(made)


def test_every_output_is_killed_here(smoke_project):
    data = smoke_project / "data" / "smoke"
    saved = {path.name for path in data.rglob("*") if path.is_file()}
    # As those of the cnn.
    alike = {"dense_history.json", "dense_predictions.csv", "dense_validation_predictions.csv"}
    assert saved - alike <= set(MADE_BY)


def test_kills_at_random_moments_lose_nothing(tmp_path):
    assert kill_runs(tmp_path, times=3, seed=1).total() == 3
