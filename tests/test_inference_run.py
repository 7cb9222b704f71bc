"""``kedro run --pipelines inference`` on a person's folder, after the first run."""

import json

import numpy as np
import pandas as pd
import pytest

from tests.conftest import kedro, latest
from tests.pictures.photos import photograph, saved


def test_a_folder_of_photographs_is_read(finished_project, digits, tmp_path):
    rng = np.random.default_rng(0)
    folder = tmp_path / "Fotos März"
    for row in range(40):
        place = folder / str(digits["labels"][row])
        place.mkdir(exist_ok=True, parents=True)
        photo = photograph(np.asarray(digits["images"])[row, ..., 0], rng)
        (place / f"{row}.jpg").write_bytes(saved(photo, "JPEG"))
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    run = ("run", "--env", "smoke", "--pipelines", "inference", "--params")
    finished = kedro(finished_project, *run, f"inference.images={folder}")
    assert finished.returncode == 0, finished.stderr
    table = pd.read_csv(latest(finished_project, "07_model_output/digit_predictions.csv"))
    assert len(table) == 41
    assert (table["status"] == "ok").sum() == 40
    summary = json.loads(latest(finished_project, "08_reporting/digit_summary.json").read_text())
    assert summary["labelled"] == 40
    assert summary["accuracy"] > 0.5  # it was trained for two epochs
    assert latest(finished_project, "08_reporting/contact_sheet.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("images", "said"),
    [
        ((), "--params inference.images=FOLDER"),
        (("--params", "inference.images=nowhere"), "nowhere: no such file or folder"),
    ],
)
def test_without_pictures_one_line_says_so(finished_project, images, said):
    run = ("run", "--env", "smoke", "--pipelines", "inference", *images)
    finished = kedro(finished_project, *run)
    assert finished.returncode != 0
    assert said in finished.stdout + finished.stderr
    assert "Traceback" not in finished.stdout + finished.stderr
