"""Give each run an id of its own, also if several runs start at once."""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from kedro.framework.session.store import BaseSessionStore
from kedro.io.core import generate_timestamp

_LAST = "last_session_id"


class SessionStore(BaseSessionStore):
    """Keep a session's data; replace its id if another session has the same one.

    Kedro names a run, and the versions that it saves, by the millisecond in which its session is
    created. Of two runs in the same millisecond, the second could not save anything.
    """

    def __setitem__(self, key: str, value: Any) -> None:
        """Keep a value; an id is replaced by a later one if it is taken."""
        super().__setitem__(key, claim(Path(self._path), value) if key == "session_id" else value)


def claim(folder: Path, session_id: str) -> str:
    """Return the id if no session of the project has it, else a later one.

    Args:
        folder: for a file with the last id.
        session_id: the time in UTC, as Kedro writes it.
    """
    with suppress(ImportError, OSError):  # without locks or a writable folder, the id stays
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
