"""Each run has an id of its own."""

from concurrent.futures import ThreadPoolExecutor

from kedro.io.core import generate_timestamp

from mnist_kedro import settings
from mnist_kedro.session_store import SessionStore, claim_id


def test_sessions_of_the_same_millisecond_have_ids_of_their_own(tmp_path):
    now = generate_timestamp()
    with ThreadPoolExecutor(8) as pool:
        ids = [*pool.map(lambda _: claim_id(tmp_path / "sessions", now), range(100))]
    assert len({*ids}) == 100
    assert min(ids) == now


def test_an_id_of_the_future_is_not_waited_for(tmp_path):
    claim_id(tmp_path, "9999-01-01T00.00.00.000Z")
    assert claim_id(tmp_path, generate_timestamp()) <= generate_timestamp()


def test_without_a_writable_folder_the_id_stays(tmp_path):
    (tmp_path / "file").touch()
    assert claim_id(tmp_path / "file", "2026-01-01T00.00.00.000Z") == "2026-01-01T00.00.00.000Z"


def test_the_id_that_kedro_gives_a_session_is_replaced(tmp_path):
    stores = [SessionStore(path=str(tmp_path), session_id="2026") for _ in range(2)]
    for store in stores:
        store.update({"session_id": "2026", "env": "smoke"})
    assert stores[0]["session_id"] == "2026" < stores[1]["session_id"]
    assert stores[1]["env"] == "smoke"


def test_the_project_s_sessions_have_this_store():
    assert settings.SESSION_STORE_CLASS is SessionStore
