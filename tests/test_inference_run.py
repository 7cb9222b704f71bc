"""``kedro run --pipelines inference`` on a person's folder, after the first run."""

import shutil

import numpy as np
import pandas as pd

from tests.support.pictures import photograph, saved


def test_a_folder_of_photographs_is_read(finished, digits, tmp_path):
    rng = np.random.default_rng(0)
    folder = tmp_path / "Fotos März"
    for row in range(40):
        place = folder / str(digits["labels"][row])
        place.mkdir(exist_ok=True, parents=True)
        photo = photograph(np.asarray(digits["images"])[row, ..., 0], rng)
        (place / f"{row}.jpg").write_bytes(saved(photo, "JPEG"))
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    log = finished.make("--pipelines", "inference", "--params", f"inference.images={folder}")
    path = finished.latest("07_model_output/digit_predictions.csv").relative_to(finished.folder)
    assert f"Predictions: {path}\n" in log
    figure = finished.latest("08_reporting/contact_sheet.png").relative_to(finished.folder)
    assert f"Figure: {figure}\n" in log
    table = pd.read_csv(finished.latest("07_model_output/digit_predictions.csv"))
    assert len(table) == 41
    assert (table["status"] == "ok").sum() == 40
    summary = finished.latest_json("08_reporting/digit_summary.json")
    assert summary["labeled"] == 40
    assert summary["accuracy"] > 0.5  # it was trained for two epochs
    assert finished.latest("08_reporting/contact_sheet.png").stat().st_size > 1000


def test_without_pictures_one_line_says_so(running):
    for options, message in (
        ((), "--params inference.images=FOLDER"),
        (("--params", "inference.images=nowhere"), "nowhere: no such file or folder"),
    ):
        outcome = running.run("--pipelines", "inference", *options)
        assert outcome.status == 1
        assert message in outcome.last_line
        assert "Traceback" not in outcome.log


def test_the_command_that_makes_a_missing_calibration_trains_nothing(finished, digits, tmp_path):
    shutil.rmtree(finished.data / "06_models" / "cnn_picture_calibration.json")
    (tmp_path / "0.png").write_bytes(saved(np.asarray(digits["images"])[0, ..., 0]))
    inference = ("--pipelines", "inference", "--params", f"inference.images={tmp_path}/0.png")
    outcome = finished.run(*inference)
    assert outcome.status == 1
    command = "--pipelines picture_calibration --to-outputs cnn.picture_calibration"
    assert f"{command}'." in outcome.last_line
    finished.make(*command.split())
    finished.make(*inference)
    assert len(finished.versions("06_models/cnn.keras")) == 1
