"""Give each run a unique id, even if several runs start at once."""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from kedro.framework.session.store import BaseSessionStore
from kedro.io.core import generate_timestamp

_LAST = "last_session_id"


class SessionStore(BaseSessionStore):
    """Store a session's data, and replace its id if it is not later than the last id.

    Kedro uses the creation time in milliseconds as the id of a run and of the versions that the run
    saves. If two runs started in the same millisecond, the second could not save anything.
    """

    def __setitem__(self, key: str, value: Any) -> None:
        """Store a value; replace a session id that is already taken."""
        super().__setitem__(
            key, claim_id(Path(self._path), value) if key == "session_id" else value
        )


def claim_id(folder: Path, session_id: str) -> str:
    """Return ``session_id`` if it is later than all earlier ids, otherwise a new, later id.

    Args:
        folder: folder of the file that holds the last id.
        session_id: time in UTC, in Kedro's format of versions.
    """
    with suppress(ImportError, OSError):  # without file locks or a writable folder, keep the id
        import fcntl  # noqa: PLC0415  (not on Windows)

        folder.mkdir(exist_ok=True)
        with os.fdopen(os.open(folder / _LAST, os.O_RDWR | os.O_CREAT), "r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            last = file.read()
            if session_id <= last:
                while (session_id := generate_timestamp()) == last:
                    time.sleep(0.001)
            file.seek(0)
            file.write(session_id)
            file.truncate()
    return session_id
