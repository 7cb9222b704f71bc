"""What is answered at which address, without a network."""

import base64
import hashlib
import json
from io import BytesIO

import numpy as np
import onnx
import pytest
from PIL import Image

from mnist_kedro.pictures.digit import prepare
from mnist_kedro.serving import answers
from mnist_kedro.serving.app import create_app
from mnist_kedro.serving.metrics import Metrics
from mnist_kedro.serving.model import ModelStore
from tests.support.pictures import letter, saved
from tests.support.server import FIRST, SECOND


@pytest.fixture(scope="module")
def images(digits):
    return np.asarray(digits["images"])[..., 0]


def get(client, path):
    return client.get(path, buffered=True)


def post(client, path, body, kind="image/png"):
    if isinstance(body, dict | list):
        body, kind = json.dumps(body), "application/json"
    return client.post(path, data=body, content_type=kind)


def test_a_picture_is_read(client, images, digits):
    for image, label in zip(images[:50], digits["labels"][:50], strict=True):
        answer = post(client, "/api/predict", saved(image)).get_json()
        assert answer["digit"] == label
        assert answer["input"] == image.tolist()  # bit for bit
        assert len(answer["probabilities"]) == 10
        assert answer["confidence"] == max(answer["probabilities"])
        assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-5)
        assert answer["model_version"] == FIRST
        assert answer["milliseconds"] > 0


def test_pixels_and_files_of_every_format_are_read_alike(client, images):
    image = images[0]
    expected = post(client, "/api/predict", saved(image)).get_json()["probabilities"]
    by_pixels = post(client, "/api/predict", {"pixels": image.tolist()}).get_json()
    assert by_pixels["probabilities"] == expected
    for form, kind in {"BMP": "image/bmp", "TIFF": "image/tiff"}.items():
        answer = post(client, "/api/predict", saved(image, form), kind).get_json()
        assert answer["probabilities"] == expected
    inverted = post(client, "/api/predict", saved(255 - image)).get_json()
    assert inverted["probabilities"] == expected
    for form, kind in {"JPEG": "image/jpeg", "WEBP": "image/webp"}.items():
        answer = post(client, "/api/predict", saved(image, form), kind).get_json()
        assert answer["digit"] == np.argmax(expected)


def test_what_it_is_not_sure_of_is_said(client, images, exported):
    threshold = exported[1]["confidence_threshold"]
    for image in images[:200]:
        answer = post(client, "/api/predict", {"pixels": image.tolist()}).get_json()
        confident = answer["confidence"] >= threshold
        assert answer["sure"] == (confident and answer["is_digit"])
        assert answer["candidates"][0] == answer["digit"]


def test_non_digits_are_flagged(client, images):
    answers = [post(client, "/api/predict", saved(image)).get_json() for image in images[:100]]
    assert np.mean([answer["is_digit"] for answer in answers]) > 0.98
    strange = [letter(character) for character in "AEFKMNRWXm"]
    answers = [post(client, "/api/predict", saved(picture)).get_json() for picture in strange]
    assert np.mean([answer["is_digit"] for answer in answers]) < 0.2
    for answer in answers:
        assert 0 <= answer["digit_score"] <= 1
        assert len(answer["probabilities"]) == 10
        assert not (answer["sure"] and not answer["is_digit"])


def test_an_export_without_a_detector_is_served(export, exported, images):
    file, description = exported
    older = onnx.load_from_string(file)
    del older.graph.output[1]
    older = older.SerializeToString()
    described = {key: description[key] for key in description if key != "picture_calibration"}
    described["sha256"] = hashlib.sha256(older).hexdigest()
    store = ModelStore(export(file=older, description=described), "cnn")
    store.refresh()
    client = create_app(store, Metrics()).test_client()
    answer = post(client, "/api/predict", saved(images[0])).get_json()
    assert (answer["is_digit"], answer["digit_score"]) == (None, None)
    assert answer["candidates"] == [answer["digit"]]


def test_a_batch_is_answered_in_order(client, images):
    alone = [post(client, "/api/predict", saved(image)).get_json() for image in images[:20]]
    for body in (
        {"pixels": images[:20].tolist()},
        {"pictures": [base64.b64encode(saved(image)).decode() for image in images[:20]]},
    ):
        answer = post(client, "/api/predict_batch", body).get_json()
        assert [one["digit"] for one in answer["predictions"]] == [one["digit"] for one in alone]
        np.testing.assert_allclose(
            [one["probabilities"] for one in answer["predictions"]],
            [one["probabilities"] for one in alone],
            atol=1e-5,
        )
        assert answer["model_version"] == FIRST


def test_in_a_batch_each_bad_picture_has_its_reason(client, images):
    blank, good = np.zeros((28, 28), int).tolist(), images[0].tolist()
    body = {"pixels": [good, blank, [[1]], None, good, [["x"] * 28] * 28, [[256] * 28] * 28]}
    answer = post(client, "/api/predict_batch", body).get_json()["predictions"]
    codes = [one.get("code", "ok") for one in answer]
    assert codes == [
        "ok", "blank", "wrong_shape", "wrong_shape", "ok", "wrong_type", "out_of_range",
    ]  # fmt: skip
    picture = base64.b64encode(saved(images[0])).decode()
    body = {"pictures": [picture, "?", picture[:80], 3, picture]}
    answer = post(client, "/api/predict_batch", body).get_json()["predictions"]
    assert [one.get("code", "ok") for one in answer] == [
        "ok", "wrong_type", "unreadable_picture", "wrong_type", "ok",
    ]  # fmt: skip


def test_the_pixels_of_a_request_are_bounded(client, images):
    large = base64.b64encode(saved(np.full((1023, 1023), 255, np.uint8))).decode()
    small = base64.b64encode(saved(images[0])).decode()
    answer = post(client, "/api/predict_batch", {"pictures": [small, *[large] * 20, small]})
    codes = [one.get("code", "ok") for one in answer.get_json()["predictions"]]
    assert codes == ["ok", *["blank"] * 15, *["unreadable_picture"] * 5, "ok"]
    told = answer.get_json()["predictions"][16]["error"]
    assert "at most 16,000,000 pixels in one request" in told


@pytest.mark.parametrize("values", [b"[]," * 800_001, b"0," * 800_001, b'{"a":0},' * 1001])
def test_json_of_too_many_values_is_refused_unparsed(client, monkeypatch, values):
    monkeypatch.setattr(json, "loads", lambda *_, **__: pytest.fail("it was parsed"))
    body = b'{"pixels": [' + values + b"0]}"
    answer = client.post("/api/predict_batch", data=body, content_type="application/json")
    assert b"wrong_count" in answer.data


@pytest.mark.parametrize("odd", [ZeroDivisionError("a secret"), MemoryError(), RecursionError()])
def test_an_unexpected_error_costs_no_other_picture(client, images, monkeypatch, caplog, odd):
    calls = []

    def fail_once(picture):
        calls.append(picture)
        if len(calls) == 2:
            raise odd
        return prepare(picture)

    monkeypatch.setattr(answers, "prepare", fail_once)
    answer = post(client, "/api/predict_batch", {"pixels": images[:3].tolist()})
    codes = [one.get("code", "ok") for one in answer.get_json()["predictions"]]
    assert codes == ["ok", "internal_server_error", "ok"]
    assert "secret" not in answer.get_data(as_text=True)
    assert "Traceback" in caplog.text  # for whoever runs it


def test_several_digits_are_read_in_order(client, images, digits):
    page = np.zeros((100, 300), np.uint8)
    for i in range(3):
        large = np.asarray(Image.fromarray(images[i]).resize((56, 56)))
        page[20:76, 20 + 90 * i : 76 + 90 * i] = large
    answer = post(client, "/api/read", saved(255 - page)).get_json()
    assert answer["text"] == "".join(map(str, digits["labels"][:3]))
    assert (answer["width"], answer["height"]) == (300, 100)
    for i, digit in enumerate(answer["digits"]):
        left, top, right, bottom = digit["box"]
        assert 20 + 90 * i <= left < right <= 77 + 90 * i
        assert 20 <= top < bottom <= 77


def test_the_found_ink_is_returned_on_request(client, images):
    large = np.full((120, 200), 220, np.uint8)
    large[30:86, 70:126] -= np.asarray(Image.fromarray(images[0]).resize((56, 56))) // 2
    assert "ink" not in post(client, "/api/read", saved(large)).get_json()
    url = post(client, "/api/read?ink=true", saved(large)).get_json()["ink"]
    head, content = url.split(",")
    assert head == "data:image/png;base64"
    ink = Image.open(BytesIO(base64.b64decode(content))).resize((200, 120))
    opacity = np.asarray(ink)[..., 3]
    assert opacity[large < 130].mean() > 150
    assert opacity[:25].max() < 10


def test_one_digit_is_told_from_several(client, images):
    pair = np.full((100, 200), 255, np.uint8)
    for i in range(2):
        pair[20:76, 20 + 90 * i : 76 + 90 * i] -= np.asarray(
            Image.fromarray(images[i]).resize((56, 56))
        )
    assert post(client, "/api/predict", saved(pair)).get_json()["several"] is True
    assert post(client, "/api/predict", saved(pair[:, :100])).get_json()["several"] is False


def picture_bodies(digit):
    """What clients may send: the body, and its type."""
    png = saved(255 - digit)
    url = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    return {
        "form": ({"file": (BytesIO(png), "digit.png")}, "multipart/form-data"),
        "form of another name": ({"x": (BytesIO(png), "")}, "multipart/form-data"),
        "untyped": (png, "application/octet-stream"),
        "curl --data-binary": (png, "application/x-www-form-urlencoded"),
        "gif": (saved(255 - digit, "GIF"), "image/gif"),
        "data URL": (url, "text/plain;charset=UTF-8"),
        "JSON with a data URL": (json.dumps({"picture": url}), "application/json"),
        "JSON with base64": (
            json.dumps({"picture": base64.b64encode(png).decode()}),
            "application/json",
        ),
    }


@pytest.mark.parametrize("how", [*picture_bodies(np.eye(28, dtype=np.uint8))])
def test_what_clients_try_first_works(client, images, how):
    body, kind = picture_bodies(images[0])[how]
    answer = client.post("/api/predict", data=body, content_type=kind)
    expected = post(client, "/api/predict", saved(255 - images[0])).get_json()
    assert answer.get_json()["input"] == expected["input"]
    url, _ = picture_bodies(images[0])["data URL"]
    batch = post(client, "/api/predict_batch", {"pictures": [url]}).get_json()["predictions"]
    assert batch[0]["input"] == expected["input"]


@pytest.mark.parametrize("names", [[], ["a", "b"]])
def test_a_form_has_one_file(client, images, names):
    files = {name: (BytesIO(saved(images[0])), name) for name in names}
    answer = client.post("/api/predict", data=files, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert answer.get_json()["error"] == f"expected 1 file, found {len(names)}"


def test_nothing_written_is_said(client):
    blank = saved(np.full((50, 50), 255, np.uint8))
    answer = post(client, "/api/predict", blank)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "blank")
    answer = post(client, "/api/read", blank)
    assert (answer.status_code, answer.get_json()["digits"]) == (200, [])


GOOD = [[0] * 28] * 28


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"", "image/png", 422, "unreadable_picture"),
        (b"\x89PNG\r\n\x1a\n", "image/png", 422, "unreadable_picture"),
        (b"GIF89a", "image/png", 422, "unreadable_picture"),
        (b"x", "text/plain", 415, "unsupported_media_type"),
        (b"eHg=", "text/plain", 415, "unsupported_media_type"),
        (b"data:image/png,x", "text/plain", 415, "unsupported_media_type"),
        (b"data:image/png;base64,?", "text/plain", 422, "wrong_type"),
        (b"a=b", "application/x-www-form-urlencoded", 422, "unreadable_picture"),
        (b"x", "multipart/form-data", 422, "wrong_count"),
        (b'{"picture": 5}', "application/json", 422, "wrong_type"),
        (b"x", "image/svg+xml", 415, "unsupported_media_type"),
        (b"", "application/json", 400, "bad_json"),
        (b"{", "application/json", 400, "bad_json"),
        (b"\xff\xfe", "application/json", 400, "bad_json"),
        (b"[" * 20_000, "application/json", 400, "bad_json"),
        (b'{"pixels": 1' + b"0" * 5000 + b"}", "application/json", 400, "bad_json"),
        (b"[]", "application/json", 422, "wrong_type"),
        (b"null", "application/json", 422, "wrong_type"),
        (b"{}", "application/json", 422, "wrong_type"),
        ({"pixel": GOOD}, "", 422, "wrong_type"),
        ({"pixels": GOOD, "more": 1}, "", 422, "wrong_type"),
        ({"pixels": GOOD[:27]}, "", 422, "wrong_shape"),
        ({"pixels": [[0] * 27] * 28}, "", 422, "wrong_shape"),
        ({"pixels": [0] * 784}, "", 422, "wrong_shape"),
        ({"pixels": "0" * 28}, "", 422, "wrong_shape"),
        ({"pixels": [["0"] * 28] * 28}, "", 422, "wrong_type"),
        ({"pixels": [[None] * 28] * 28}, "", 422, "wrong_type"),
        ({"pixels": [[0.5] * 28] * 28}, "", 422, "wrong_type"),
        ({"pixels": [[[1]] * 28] * 28}, "", 422, "wrong_type"),
        (b'{"pixels": [[NaN]]}', "application/json", 422, "wrong_type"),
        (b'{"pixels": [[Infinity]]}', "application/json", 422, "wrong_type"),
        ({"pixels": [[-1] * 28] * 28}, "", 422, "out_of_range"),
        ({"pixels": [[256] * 28] * 28}, "", 422, "out_of_range"),
        ({"pixels": [[10**30] * 28] * 28}, "", 422, "out_of_range"),
        ({"pixels": GOOD}, "", 422, "blank"),
        (b"x" * (8 * 1024**2 + 1), "image/png", 413, "body_too_large"),
    ],
)
def test_refuses_a_bad_request(client, body, kind, status, code):
    answer = post(client, "/api/predict", body, kind)
    told = answer.get_json()
    assert (answer.status_code, told["code"]) == (status, code)
    assert 5 < len(told["error"]) < 300
    assert "Traceback" not in told["error"]


@pytest.mark.parametrize(
    "body",
    [{"pixels": []}, {"pictures": []}, {"pixels": [GOOD] * 1001}, {"pixels": "x"}, {"other": []}],
)
def test_a_batch_that_is_none_is_refused(client, body):
    answer = post(client, "/api/predict_batch", body)
    assert answer.status_code == 422
    assert answer.get_json()["code"] in {"wrong_type", "wrong_count"}


def test_a_picture_that_unpacks_to_gigabytes_is_refused_unread(client):
    bomb = saved(Image.new("1", (20_000, 20_000)))
    assert len(bomb) < 100_000
    answer = post(client, "/api/predict", bomb)
    assert answer.status_code == 422
    assert "too large: expected at most 16,000,000 pixels" in answer.get_json()["error"]


def test_other_addresses_and_methods_are_told_as_json(client):
    for path in ("/nowhere", "/api//model", "/api/model/"):
        assert get(client, path).get_json()["code"] == "not_found"
    answer = get(client, "/api/predict")
    assert (answer.status_code, answer.get_json()["code"]) == (405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("damaged", [False, True])
def test_is_not_ready_without_a_model(tmp_path, export, images, damaged):
    store = ModelStore(export(FIRST, b"damaged") if damaged else tmp_path, "cnn")
    store.refresh()
    assert list(store.rejected) == [FIRST] * damaged
    client = create_app(store, Metrics()).test_client()
    assert get(client, "/healthz").status_code == 200
    assert get(client, "/").status_code == 200
    for answer in (
        get(client, "/readyz"),
        get(client, "/api/model"),
        post(client, "/api/predict", saved(images[0])),
    ):
        assert (answer.status_code, answer.get_json()["code"]) == (503, "no_model")
        assert "kedro run" in answer.get_json()["error"]
        assert "/" not in answer.get_json()["error"]  # no path of the server
        assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize("source", ["/home/me/my.hdf5", "C:\\Users\\me\\my.hdf5", "my.hdf5"])
def test_the_folder_of_the_data_is_not_shown(client, store, export, exported, source):
    description = {**exported[1], "data": {**exported[1]["data"], "source": source}}
    export(SECOND, None, description)
    store.refresh()
    assert get(client, "/api/model").get_json()["data"] == {
        **exported[1]["data"], "source": "my.hdf5",
    }  # fmt: skip


def test_the_model_describes_itself(client, exported):
    answer = get(client, "/api/model").get_json()
    assert (answer["name"], answer["version"]) == ("cnn", FIRST)
    assert answer["accuracy"] == exported[1]["accuracy"]
    assert len(answer["examples"]) == 10


def test_a_fault_of_the_server_shows_nothing_of_it(client, store, images, monkeypatch, caplog):
    def fail(self, pixels, in_mnist_form):
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(type(store.current), "predict", fail)
    answer = post(client, "/api/predict", saved(images[0]))
    assert answer.status_code == 500
    assert "secret" not in answer.get_data(as_text=True)
    assert "a secret" in caplog.text  # for whoever runs it


def test_the_page_loads_nothing_from_elsewhere(client):
    for path in ("/", "/static/app.js", "/static/app.css", "/api/model", "/nowhere"):
        policy = get(client, path).headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in policy
        assert get(client, path).headers["X-Content-Type-Options"] == "nosniff"
    assert "http" not in get(client, "/").get_data(as_text=True)


def test_files_outside_the_page_are_not_served(client):
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py"):
        assert get(client, path).status_code == 404


def test_requests_and_digits_are_counted(client, images):
    post(client, "/api/predict", saved(images[0]))
    post(client, "/api/predict", b"")
    text = get(client, "/metrics").get_data(as_text=True)
    assert 'mnist_requests_total{endpoint="predict",status="200"} 1.0' in text
    assert 'mnist_requests_total{endpoint="predict",status="422"} 1.0' in text
    assert 'mnist_request_seconds_count{endpoint="predict"} 2.0' in text
    assert f'mnist_model{{model="cnn",version="{FIRST}"}} 1.0' in text
    assert text.count("mnist_digits_total{") == 1
    assert "process_resident_memory_bytes" in text


def test_the_openapi_document_describes_what_is_answered(client, images):
    from jsonschema import Draft202012Validator

    document = get(client, "/openapi.json").get_json()
    rules = {rule.rule for rule in client.application.url_map.iter_rules()}
    undescribed = {"/", "/openapi.json", "/static/<path:filename>"}
    assert set(document["paths"]) == rules - undescribed

    def validate(path, answer, method="post"):
        described = document["paths"][path][method]["responses"][str(answer.status_code)]
        if "$ref" in described:
            described = document["components"]["responses"][described["$ref"].split("/")[-1]]
        schema = described["content"]["application/json"]["schema"]
        schema = {**schema, "components": document["components"]}
        Draft202012Validator(schema).validate(answer.get_json())

    image = images[0]
    blank = np.zeros((28, 28), int).tolist()
    for path in ("/api/predict", "/api/read"):
        validate(path, post(client, path, saved(image)))
        validate(path, post(client, path, {"pixels": image.tolist()}))
        validate(path, post(client, path, b"{", "application/json"))
        validate(path, post(client, path, b"", "image/png"))
        validate(path, post(client, path, b"", "text/plain"))
    batch = post(client, "/api/predict_batch", {"pixels": [image.tolist(), blank]})
    validate("/api/predict_batch", batch)
    for path in ("/healthz", "/readyz", "/api/model"):
        validate(path, get(client, path), "get")
