"""Corrections over HTTP: where they are allowed, from the app's page, and only one's own."""

import base64
import json
import threading
from io import BytesIO

import h5py
import numpy as np
import pytest
from kedro.config import OmegaConfigLoader
from PIL import Image

from mnist_kedro.corrections import (
    NO_DIGIT,
    count_corrections,
    keep_correction,
    name_writer,
    read_corrections,
)
from mnist_kedro.promotion import Promotion, read_promoted, save_decision
from mnist_kedro.serving import teaching as routes
from mnist_kedro.serving.app import create_app
from mnist_kedro.serving.metrics import Metrics
from mnist_kedro.serving.teaching_run import (
    CORRECTIONS,
    MIN_CORRECTIONS,
    TeachingRun,
    _locked,
)
from mnist_kedro.settings import CONFIG_LOADER_ARGS
from tests.support.corrections import SECRET, correction
from tests.support.paths import ROOT
from tests.support.pictures import saved
from tests.support.server import FIRST, SECOND

PATHS = [
    ("POST", "/api/corrections"),
    ("DELETE", "/api/corrections"),
    ("POST", "/api/corrections/mine"),
    ("POST", "/api/teaching"),
    ("DELETE", "/api/teaching"),
    ("POST", "/api/teaching/rollback"),
]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "corrections"


@pytest.fixture
def keeping(store, folder):
    """A client of a server that keeps corrections."""
    return create_app(store, Metrics(), corrections=folder).test_client()


@pytest.fixture
def body(digits):
    pixels = np.asarray(digits["images"])[0, ..., 0].tolist()
    return {"pixels": pixels, "label": 7, "writer": SECRET}


def send(client, method, path, body, **headers):
    data = body if isinstance(body, bytes) else json.dumps(body)
    kind = headers.pop("kind", "application/json")
    return client.open(path, method=method, data=data, content_type=kind, headers=headers)


def keep(client, body, **headers):
    return send(client, "POST", "/api/corrections", body, **headers)


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_without_the_flag_nothing_is_kept_or_taught(client, body, method, path):
    answer = send(client, method, path, body)
    assert answer.status_code == 403
    assert answer.get_json()["code"] == "corrections_off"
    assert client.get("/api/teaching").get_json() == {
        "keeps": False,
        "obstacle": "this server does not accept corrections",
    }


def test_a_correction_is_kept_with_what_was_read(keeping, folder, body):
    answer = keep(keeping, body).get_json()
    ((identifier, kept),) = read_corrections(folder)
    assert answer == {"identifier": identifier, "answer": kept["answer"]}
    assert kept["label"] == 7
    assert (kept["model"], kept["version"]) == ("cnn", FIRST)
    assert set(kept["answer"]) == {"digit", "confidence", "is_digit", "digit_score"}
    assert base64.b64decode(kept["pixels"]) == np.array(body["pixels"], np.uint8).tobytes()
    assert SECRET not in json.dumps(kept)
    keep(keeping, {**body, "label": None})
    ((_, again),) = read_corrections(folder)
    assert again["label"] == NO_DIGIT


def test_of_a_cutting_only_its_pixels_are_kept(keeping, folder, body):
    picture = Image.new("RGB", (40, 60), "white")
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    file = BytesIO()
    picture.save(file, "JPEG", exif=exif)
    answer = keep(keeping, {**body, "cutting": base64.b64encode(file.getvalue()).decode()})
    assert answer.status_code == 200
    ((_, kept),) = read_corrections(folder)
    cutting = base64.b64decode(kept["cutting"])
    assert cutting.startswith(b"\x89PNG")
    assert b"home" not in cutting
    assert Image.open(BytesIO(cutting)).size == (40, 60)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"label": 10}, 422, "out_of_range"),
        ({"label": -1}, 422, "out_of_range"),
        ({"label": "7"}, 422, "out_of_range"),
        ({"label": True}, 422, "out_of_range"),
        ({"writer": "short"}, 422, "wrong_type"),
        ({"writer": "é" * 20}, 422, "wrong_type"),
        ({"writer": 12}, 422, "wrong_type"),
        ({"pixels": [[0] * 28] * 27}, 422, "wrong_shape"),
        ({"pixels": [[0] * 28] * 28}, 422, "blank"),
        ({"pixels": [[256] * 28] * 28}, 422, "out_of_range"),
        ({"cutting": "no picture"}, 422, "unreadable_picture"),
        ({"cutting": 1}, 422, "unreadable_picture"),
        ({"more": 1}, 422, "wrong_type"),
        ({"cutting": "A" * 200_000}, 413, "body_too_large"),
    ],
)
def test_what_is_no_correction_is_refused(keeping, folder, body, change, status, code):
    answer = keep(keeping, {**body, **change})
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert count_corrections(folder) == 0


def test_a_large_cutting_is_refused(keeping, folder, body):
    large = base64.b64encode(saved(np.zeros((600, 20), np.uint8))).decode()
    assert keep(keeping, {**body, "cutting": large}).get_json()["code"] == "wrong_shape"
    assert count_corrections(folder) == 0


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "image/png"])
@pytest.mark.parametrize(("method", "path"), PATHS)
def test_only_json_is_taken(keeping, body, method, path, kind):
    """A foreign page can send the other types without asking the browser for leave."""
    assert send(keeping, method, path, body, kind=kind).status_code in (415, 409)


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost:1", "https://", "http://[::1"]
)
@pytest.mark.parametrize(("method", "path"), PATHS)
def test_another_page_cannot_use_it(keeping, folder, body, method, path, origin):
    answer = send(keeping, method, path, body, Host="localhost:8000", Origin=origin)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "foreign_origin")
    answer = send(keeping, method, path, body, Host="evil.example", Origin="http://evil.example")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "host_not_allowed")
    assert count_corrections(folder) == 0


def test_a_page_of_another_port_behind_a_proxy_cannot(keeping, body):
    page = {"Host": "localhost", "Origin": "http://localhost:9999", "Sec-Fetch-Site": "same-site"}
    assert keep(keeping, body, **page).get_json()["code"] == "foreign_origin"


def test_the_page_itself_can(keeping, body):
    for host, origin in {
        "localhost:8000": "http://localhost:8000",
        "localhost": "https://localhost",  # behind a proxy
        "127.0.0.1:8000": "http://127.0.0.1:8000",
    }.items():
        assert keep(keeping, body, Host=host, Origin=origin).status_code == 200


def test_the_rate_and_the_number_are_bounded(keeping, folder, body, monkeypatch):
    monkeypatch.setattr(routes, "_PER_SECOND", 0)
    for number in range(routes._BURST):
        body["pixels"][0][0:2] = divmod(number, 256)
        assert keep(keeping, body).status_code == 200
    answer = keep(keeping, body)
    assert (answer.status_code, answer.get_json()["code"]) == (429, "too_many")
    monkeypatch.setattr(routes, "_PER_SECOND", 1e9)
    monkeypatch.setattr(routes, "_MAX_KEPT", count_corrections(folder))
    answer = keep(keeping, body)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "full")


def test_everyone_sees_and_forgets_their_own(keeping, folder, body):
    first = keep(keeping, body).get_json()["identifier"]
    body["pixels"][0][0] = 9
    second = keep(keeping, body).get_json()["identifier"]
    keep(keeping, {**body, "writer": "b" * 16})

    def mine(secret):
        answer = send(keeping, "POST", "/api/corrections/mine", {"writer": secret})
        return answer.get_json()["corrections"]

    def forget(**what):
        return send(keeping, "DELETE", "/api/corrections", what).get_json()["forgotten"]

    assert {one["identifier"] for one in mine(SECRET)} == {first, second}
    assert len(mine("b" * 16)) == 1
    assert mine(name_writer(SECRET)) == []  # what is in the files is not enough
    assert "writer" not in mine(SECRET)[0]
    assert forget(writer="b" * 16, identifier=first) == 0
    assert forget(writer=SECRET, identifier=first) == 1
    assert forget(writer=SECRET) == 1
    assert count_corrections(folder) == 1


def test_the_readings_before_and_after_are_those_of_the_held_out(keeping, store, folder, body):
    identifier = keep(keeping, body).get_json()["identifier"]
    result = {"identifier": identifier, "label": 7, "before": 1, "after": NO_DIGIT}
    path = store.folder.parent / "08_reporting" / "held_out_corrections.json" / FIRST
    path.mkdir(parents=True)
    (path / "held_out_corrections.json").write_text(json.dumps({"digits": [result]}))

    def held_out():
        answer = send(keeping, "POST", "/api/corrections/mine", {"writer": SECRET})
        return answer.get_json()["corrections"][0]["held_out"]

    assert held_out() == {"before": 1, "after": None}
    keep(keeping, {**body, "label": 3})  # it was taught as another digit
    assert held_out() is None


def test_copies_of_forgotten_corrections_are_removed(keeping, store, body):
    mine = keep(keeping, body).get_json()["identifier"]
    root = store.folder.parent
    pictures = root / "05_model_input" / "correction_pictures" / "7"
    pictures.mkdir(parents=True)
    for name in (mine, "0" * 32):
        (pictures / f"{name}.png").write_bytes(b"")
    for version, names in ((FIRST, [mine]), (SECOND, ["0" * 32])):
        snapshot = root / "05_model_input" / "corrections.hdf5" / version / "corrections.hdf5"
        snapshot.parent.mkdir(parents=True)
        with h5py.File(snapshot, "w") as file:
            file["identifiers"] = np.array(names, "S32")
    send(keeping, "DELETE", "/api/corrections", {"writer": SECRET})
    assert [path.name for path in pictures.iterdir()] == [f"{'0' * 32}.png"]
    assert [path.name for path in snapshot.parents[1].iterdir()] == [SECOND]


def test_nothing_is_forgotten_or_taken_back_while_the_network_is_taught(keeping, folder, body):
    keep(keeping, body)
    with _locked(folder / ".lock"):  # as a teaching of another server
        assert keeping.get("/api/teaching").get_json()["state"] == "running"
        answer = send(keeping, "DELETE", "/api/corrections", {"writer": SECRET})
        assert (answer.status_code, answer.get_json()["code"]) == (409, "busy")
    assert count_corrections(folder) == 1
    assert keeping.get("/api/teaching").get_json()["state"] == "idle"


def test_to_look_whether_the_network_is_taught_hinders_nobody(tmp_path):
    """Several servers may look at once, and one may start meanwhile."""
    first, second = (TeachingRun(tmp_path / "models", tmp_path) for _ in range(2))
    (tmp_path / ".lock").touch()
    with _locked(tmp_path / ".lock", shared=True):
        assert first.progress["state"] == second.progress["state"] == "idle"
    with _locked(tmp_path / ".lock"):
        assert first.progress["state"] == "running"


def test_elsewhere_than_in_the_project_it_says_that_it_cannot_teach(keeping, body):
    keep(keeping, body)
    state = keeping.get("/api/teaching").get_json()
    assert state["keeps"]
    assert state["folder"] == "corrections"  # no path of this machine
    assert "--corrections data/01_raw/corrections" in state["obstacle"]
    answer = send(keeping, "POST", "/api/teaching", {})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "cannot_teach")


def test_the_makefile_the_catalog_and_the_server_agree_about_the_folder():
    assert f"mnist_kedro.serving --corrections {CORRECTIONS} " in (ROOT / "Makefile").read_text()
    catalog = OmegaConfigLoader(conf_source=str(ROOT / "conf"), env="base", **CONFIG_LOADER_ARGS)
    assert catalog["catalog"]["corrections"]["filepath"] == CORRECTIONS.as_posix()
    assert catalog["parameters"]["teaching"]["min_corrections"] == MIN_CORRECTIONS


def test_without_tensorflow_it_says_so(keeping, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    obstacle = keeping.get("/api/teaching").get_json()["obstacle"]
    assert obstacle == "Kedro or TensorFlow is not installed on this server"


def test_it_can_be_taken_back(store, folder, export, exported, monkeypatch):
    taught = {"taught": {"corrections": {"digits": 12}}}
    models = export(SECOND, description={**exported[1], "training_record": taught})
    monkeypatch.setattr(routes, "can_teach", lambda *_: None)
    client = create_app(store, Metrics(), corrections=folder).test_client()
    store.name = None
    answer = send(client, "POST", "/api/teaching/rollback", {})
    assert answer.get_json()["code"] == "nothing_before"
    for version, by in ((FIRST, "export"), (SECOND, "teaching")):
        save_decision(
            models,
            Promotion(model="cnn", version=version, promoted=True, reason="", by=by, trained=None),
        )
    store.refresh()
    assert client.get("/api/model").get_json()["version"] == SECOND
    assert client.get("/api/model").get_json()["taught_corrections"] == 12
    state = client.get("/api/teaching").get_json()
    assert state["can_take_back"]
    assert state["outcome"]["served"]
    state = send(client, "POST", "/api/teaching/rollback", {}).get_json()
    assert not state["can_take_back"]
    assert not state["outcome"]["served"]
    assert client.get("/api/model").get_json()["version"] == FIRST
    assert next(read_promoted(models))["by"] == "rollback"
    text = client.get("/metrics").get_data(as_text=True)
    assert "mnist_promotions_total 2.0" in text


def test_operators_see_counts_and_nothing_more(keeping, body, digits):
    keep(keeping, body)
    keep(keeping, {**body, "label": None})
    images = np.asarray(digits["images"])[:41, ..., 0]
    answers = [
        send(keeping, "POST", "/api/predict", {"pixels": np.maximum(*pair).tolist()}).get_json()
        for pair in zip(images[1:], images, strict=False)  # two digits over each other
    ]
    not_sure = sum(not answer["sure"] for answer in answers)
    no_digit = sum(answer["is_digit"] is False for answer in answers)
    assert not_sure > 0
    text = keeping.get("/metrics").get_data(as_text=True)
    assert 'mnist_corrections_total{kind="digit"} 1.0' in text
    assert 'mnist_corrections_total{kind="no_digit"} 1.0' in text
    assert f"mnist_not_sure_total {not_sure}.0" in text
    assert f"mnist_no_digit_total {no_digit}.0" in text
    assert "mnist_promotions_total 0.0" in text
    assert name_writer(SECRET) not in text


def test_the_document_describes_the_answers(keeping, body):
    from jsonschema import Draft202012Validator

    document = keeping.get("/openapi.json").get_json()
    calls = [
        ("POST", "/api/corrections", body),
        ("POST", "/api/corrections/mine", {"writer": SECRET}),
        ("DELETE", "/api/corrections", {"writer": SECRET}),
        ("GET", "/api/teaching", {}),
        ("POST", "/api/teaching", {}),
        ("DELETE", "/api/teaching", {}),
        ("POST", "/api/teaching/rollback", {}),
        ("POST", "/api/corrections", {"label": 1}),
    ]
    for method, path, content in calls:
        answer = send(keeping, method, path, content)
        described = document["paths"][path][method.lower()]
        response = described["responses"][str(answer.status_code)]
        name = response["$ref"].split("/")[-1]
        schema = document["components"]["responses"][name]["content"]["application/json"]["schema"]
        Draft202012Validator({**schema, "components": document["components"]}).validate(
            answer.get_json()
        )
        if answer.status_code == 200 and method != "GET":
            request = described["requestBody"]["$ref"].split("/")[-1]
            schema = document["components"]["requestBodies"][request]["content"]
            schema = schema["application/json"]["schema"]
            Draft202012Validator({**schema, "components": document["components"]}).validate(content)


def test_only_one_teaching_runs_at_a_time(tmp_path, monkeypatch):
    """Also of two servers; in a folder that is no project, where it fails at once."""
    monkeypatch.chdir(tmp_path)
    first, second = (TeachingRun(tmp_path / "models", tmp_path) for _ in range(2))
    assert first.start("cnn")
    assert not first.start("cnn")
    assert not second.start("cnn")
    for thread in threading.enumerate():
        if thread.name == "teaching":
            thread.join(60)
    assert first.progress["state"] == "failed"
    assert first.progress["step"]
    assert second.start("cnn")
    assert second.cancel()
    for thread in threading.enumerate():
        if thread.name == "teaching":
            thread.join(60)
    assert second.progress["state"] in ("cancelled", "failed")
    assert not second.cancel()


def test_corrections_of_others_are_no_obstacle(folder, keeping, body):
    keep_correction(folder, correction(5, 3, writer="another secret"))
    (folder / "notes.txt").write_text("not a correction")
    assert keep(keeping, body).status_code == 200
    assert keeping.get("/api/teaching").get_json()["corrections"] == 2
